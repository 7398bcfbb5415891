# durable: on
"""Sets and dicts keyed by user objects, frozensets and tuples, changed between awaits, in insertion order."""
import asyncio

from world import effect


class Key:
    def __init__(self, name, log):
        self.name, self.log = name, log

    def __hash__(self):
        self.log.append(f"hash {self.name}")
        return len(self.name)

    def __eq__(self, other):
        return isinstance(other, Key) and self.name == other.name


async def main():
    log = []
    a, b = Key("a", log), Key("b", log)
    counted = len(log)
    table = {await effect("a", a): 1, b: await effect("b", 2)}
    out = [log[counted:]]
    same = {Key("a", log), Key("a", log), b}
    await effect("held")
    log = log[:0]
    out.append((table[Key("a", [])], len(same), b in same, Key("zz", []) in table, [k.name for k in table]))
    nested = {frozenset({1, 2}): {(1, (2, 3)): "x"}, (): None}
    nested[frozenset([2, 1])][1, (2, 3)] += await effect("append", "y")
    out.append(list(nested.values()))
    order = {k: None for k in "zyx"}
    order.pop("y"), order.setdefault("w", await effect("w", 5))
    order |= {"y": await effect("y", 6)}
    items = iter(order.items())
    next(items)
    await effect("items")
    out.append((list(items), order.popitem(), list(reversed(order))))
    numbers = {3, 1, 2}
    numbers ^= {await effect("xor", 3), 9}
    out.append((sorted(numbers), sorted(numbers & {1, 9} - {9}), numbers >= {1}))
    try:
        {[]: await effect("unhashable"), **{}}
    except TypeError as error:
        out.append(str(error))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
