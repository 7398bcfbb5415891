# durable: on
"""Mutable default arguments of nested functions and lambdas keep what calls put into them."""
import asyncio

from world import effect


def build():
    shared = []

    async def collect(name, into=shared, *, index={}):  # noqa: B006
        into.append(await effect(name, name.upper()))
        index[name] = len(into)
        return into, index

    return collect, shared, lambda x, seen=shared: (seen.append(x), len(seen))[1]


async def main():
    def local(x, cache={"n": 0}):  # noqa: B006
        cache["n"] += x
        return cache

    collect, shared, push = build()
    first = local(1)
    await effect("c")
    second = local(2)
    out, index = await collect("d")
    pushed = [push("x")]
    again, _ = await collect("e")
    pushed.append(push("y"))
    await effect("last")
    return out, index, out is again is shared, pushed, first is second, first, local.__defaults__[0] is first


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
