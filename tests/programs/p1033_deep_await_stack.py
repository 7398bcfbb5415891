# durable: on
"""A recursion of 120 awaiting frames and a generator of 60 levels of yield from are suspended at the bottom."""
import asyncio

from world import effect


async def down(n, trail):
    here = [n]
    if n == 0:
        await effect("bottom")
        trail.append(await effect("still at the bottom", "b"))
        return here
    below = await down(n - 1, trail)
    if n % 50 == 0:
        await effect(f"up {n}")
    return here + below


def levels(n):
    if n == 0:
        got = yield "deep"
        yield got
        return [0]
    return [n, *(yield from levels(n - 1))]


async def main():
    trail = []
    path = await down(120, trail)
    gen = levels(60)
    out = [next(gen)]
    await effect("generator held")
    out.append(gen.send(await effect("sent", 5)))
    try:
        next(gen)
    except StopIteration as stop:
        out.append(sum(stop.value))
    return len(path), path[:3], trail, out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
