# durable: on
"""Instances as dict keys and set members are found again by identity hash and by value hash."""
import asyncio

from world import effect


class ByIdentity:
    def __init__(self, name):
        self.name = name


class ByValue:
    def __init__(self, name):
        self.name = name

    def __eq__(self, other):
        return isinstance(other, ByValue) and self.name == other.name

    def __hash__(self):
        return hash(self.name)


async def main():
    a, b = ByIdentity("a"), ByIdentity("b")
    keyed = {a: 1, b: 2}
    members = {a}
    values = {ByValue("x"): "vx", ByValue("y"): "vy"}
    frozen = frozenset([a, b])
    await effect("one")
    keyed[a] += await effect("two", 10)
    members.add(b)
    members.discard(a)
    values[ByValue("x")] += await effect("three", "!")
    self_keyed = {}
    a.table = self_keyed
    self_keyed[a] = a
    await effect("four")
    return [
        [keyed[a], keyed[b], len(keyed)],
        [a in members, b in members, a in frozen, ByIdentity("a") in frozen],
        [values[ByValue("x")], ByValue("y") in values, ByValue("z") in values],
        self_keyed[a].table is self_keyed,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
