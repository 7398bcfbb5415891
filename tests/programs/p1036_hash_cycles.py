# durable: on
"""Objects whose hash needs their attributes sit in sets and dict keys which they themselves refer to."""
import asyncio
import dataclasses

from world import effect


class City:
    def __init__(self, name):
        self.name = name
        self.near = set()
        self.roads = {self: 0}

    def __eq__(self, other):
        return isinstance(other, City) and self.name == other.name

    def __hash__(self):
        return hash(("city", self.name))

    def link(self, other, length):
        self.near.add(other)
        other.near.add(self)
        self.roads[other] = other.roads[self] = length


@dataclasses.dataclass(frozen=True)
class Key:
    n: int
    owners: list = dataclasses.field(default_factory=list, hash=False, compare=False, repr=False)


async def main():
    a, b, c = City("a"), City("b"), City("c")
    a.link(b, 3)
    key = Key(1)
    table = {key: "one", (key, 2): "pair"}
    key.owners.append(table)
    everything = frozenset([a, key])
    await effect("made")
    b.link(c, await effect("length", 4))
    table[Key(2)] = await effect("two", "two")
    await effect("held")
    return [
        sorted(n.name for n in b.near),
        [a.roads[City(x)] for x in "ab"],
        City("c") in b.near and a in b.near and a in a.roads,
        next(iter(c.near)) is b,
        [table[Key(1)], table[key, 2], table[Key(2)]],
        key.owners[0] is table,
        a in everything and Key(1) in everything,
        {k: v for k, v in table.items() if isinstance(k, Key)},
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
