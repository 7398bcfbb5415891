# durable: on
"""Lists, dicts and instances that contain themselves survive every await."""
import asyncio

from world import effect


class Ring:
    def __init__(self):
        self.me = self
        self.also = [self, {"self": self}]


async def main():
    loop = [1]
    loop.append(loop)
    table = {"n": 0}
    table["table"] = table
    table["loop"] = loop
    ring = Ring()
    knot = ([],)
    knot[0].append(knot)
    await effect("one")
    table["table"]["n"] += await effect("two", 5)
    loop[1][1].append(await effect("three", 7))
    ring.me.me.value = await effect("four", 9)
    return [
        repr(loop),
        repr(table),
        loop[1] is loop,
        table["table"] is table and table["loop"] is loop,
        ring.me is ring and ring.also[0] is ring and ring.also[1]["self"] is ring,
        ring.value,
        knot[0][0] is knot,
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
