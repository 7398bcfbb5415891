# durable: on
"""Iterators of built-in containers are advanced by explicit next() with an await between the steps."""
import asyncio

from world import effect


async def main():
    sources = {
        "list": iter([10, 20, 30]),
        "tuple": iter((1, 2, 3)),
        "str": iter("héé"),
        "bytes": iter(b"abc"),
        "bytearray": iter(bytearray(b"xyz")),
        "range": iter(range(5, 20, 7)),
        "big range": iter(range(10**20, 10**20 + 3)),
        "keys": iter({"a": 1, "b": 2, "c": 3}),
        "values": iter({"a": 1, "b": 2, "c": 3}.values()),
        "items": iter({"a": 1, "b": 2, "c": 3}.items()),
        "reversed": reversed([1, 2, 3]),
        "reversed dict": reversed({"p": 1, "q": 2, "r": 3}),
        "reversed range": reversed(range(3)),
    }
    out = {name: [] for name in sources}
    for turn in range(3):
        await effect(f"turn {turn}")
        for name, it in sources.items():
            out[name].append(next(it))
    await effect("drained")
    ends = [next(it, "end") for it in sources.values()]
    await effect("end")
    return out, set(ends) == {"end"}, all(iter(it) is it for it in sources.values())


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
