# durable: on
"""A tree is walked recursively by a coroutine, a generator and an asynchronous generator, with depth, totals and pruning."""
import asyncio

from world import effect


class Tree:
    def __init__(self, name, *children, size=1):
        self.name = name
        self.children = list(children)
        self.size = size

    def __iter__(self):
        yield self
        for child in self.children:
            yield from child

    async def total(self, path=()):
        here = (*path, self.name)
        own = await effect("/".join(here), self.size)
        return own + sum([await child.total(here) for child in self.children])

    async def walk(self, prune, depth=0):
        yield depth, self.name
        if self.name in prune:
            return
        for child in self.children:
            async for item in child.walk(prune, depth + 1):
                yield item
        await effect(f"leave {self.name}")


async def main():
    tree = Tree("r", Tree("a", Tree("a1", size=5), Tree("a2", Tree("deep", size=7))), Tree("b"), size=2)
    total = await tree.total()
    names = []
    for node in tree:
        names.append(node.name)
        if node.name == "a2":
            await effect("half of the walk")
            node.children.append(Tree("new"))
    lines = ["  " * depth + name async for depth, name in tree.walk({"a1", "deep"})]
    return total, names, lines


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
