# durable: on
"""Aliases, cycles, sharing between frames and default arguments keep identity across awaits."""
import asyncio

from world import effect


class Node:
    def __init__(self, name):
        self.name, self.links = name, []


async def extend(node, shared, depth):
    mine = Node(f"{node.name}{depth}")
    mine.links.append(node)
    node.links.append(mine)
    shared.append(mine)
    if depth < 3:
        await effect(f"deeper{depth}")
        last = await extend(mine, shared, depth + 1)
    else:
        await effect("bottom")
        last = mine
    return last if shared[depth] is mine and mine.links[0] is node else None


async def main():
    root, shared = Node("r"), []
    alias = shared
    last = await extend(root, shared, 0)
    out = [alias is shared, last is shared[-1], root.links[0] is shared[0], [n.name for n in alias]]
    loop = [1]
    loop.append(loop)
    table = {"self": None, "loop": loop}
    table["self"] = table
    view, items = table.keys(), loop[1][1]
    key = (1, 2)
    by_tuple = {key: key}
    text = "".join(["in", "terned"])
    await effect("cycles")
    out.append((loop[1] is loop, table["self"]["self"] is table, items is loop, by_tuple[key] is key))
    table["new"] = text
    out.append((sorted(view), table["new"] is text))
    a = b = [[]] * 3
    a[0].append(await effect("rows", 1))
    a += [await effect("more", 2)]
    out.append((b, a is b, b[0] is b[1]))
    singletons = [None, True, ..., NotImplemented, int, len, Node]
    await effect("singletons")
    out.append([x is y for x, y in zip(singletons, (None, True, ..., NotImplemented, int, len, Node))])
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
