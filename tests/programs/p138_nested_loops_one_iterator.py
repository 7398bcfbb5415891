# durable: on
"""Nested loops consume one shared iterator, and comprehension and unpacking take from it too."""
import asyncio

from world import effect


async def main():
    stream = iter(range(30))
    out = []
    for a in stream:
        row = [a]
        for b in stream:
            row.append(b)
            if b % 4 == 3:
                await effect(f"row at {b}")
                break
        out.append(row)
        if a > 8:
            break
    first, second, *_ = [next(stream) for _ in range(4)]
    await effect("unpacked")
    pairs = [(x, await effect(f"pair {x}", next(stream))) for x in (next(stream) for _ in range(3))]
    found = 27 in stream
    await effect("searched")
    return out, first, second, pairs, found, list(stream)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
