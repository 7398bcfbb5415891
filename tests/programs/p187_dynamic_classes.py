# durable: on
"""Classes made by type(), namedtuple() and make_dataclass inside of a function, and instances of them, survive."""
import asyncio
import collections
import dataclasses
import enum

from world import effect


class Plugin:
    def name(self):
        return type(self).__name__.lower()


async def main():
    shared = [1]
    Two = type("Two", (Plugin,), {"order": 9, "twice": lambda self, n: n * 2})
    Pair = collections.namedtuple("Pair", "a b", defaults=[0])
    Made = dataclasses.make_dataclass("Made", [("x", int), ("y", list)])
    Colour = enum.Enum("Colour", "RED BLUE")
    two, pair, made, colour = Two(), Pair(shared), Made(1, shared), Colour.BLUE
    await effect("made")
    shared.append(await effect("more", 2))
    pair = pair._replace(b=await effect("b", 3))
    await effect("held")
    return [
        (two.name(), two.twice(4), two.order, isinstance(two, Two)),
        (pair, pair.a is shared, isinstance(pair, Pair)),
        (made, made.y is shared, made == Made(1, [1, 2])),
        (colour is Colour.BLUE, colour.name, len(Colour)),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
