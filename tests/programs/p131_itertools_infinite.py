# durable: on
"""count, cycle and repeat go on from their position."""
import asyncio
import itertools

from world import effect


async def main():
    ids = itertools.count(100, 5)
    halves = itertools.count(0.5, 0.25)
    turns = itertools.cycle(["red", "green", "blue"])
    thrice = itertools.repeat("x", 3)
    forever = itertools.repeat([])
    out = []
    for n in range(5):
        out.append((next(ids), next(halves), next(turns), next(thrice, None)))
        next(forever).append(n)
        await effect(f"turn {n}")
    for number, colour in zip(ids, turns):
        out.append((number, colour))
        if await effect(f"zip {number}", number) >= 135:
            break
    await effect("end")
    return out, next(ids), next(turns), next(forever), repr(ids)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
