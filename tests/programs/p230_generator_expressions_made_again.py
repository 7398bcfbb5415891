# durable: on
"""A function that is resumed makes generator expressions, of which others had been resumed before it."""
import asyncio

from world import effect


async def held(numbers, log):
    scale = len(numbers)
    generator = (sum(scale * n for _ in numbers) for n in numbers)
    log.append(generator)
    await effect(f"holds {scale}", scale)
    return next(generator)


async def main():
    log = []
    out = [await held([1, 2], log)]
    again = held([3, 4, 5], log)
    out.append(await effect("between", "between"))
    out.append(await again)
    return out, [next(generator) for generator in log]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
