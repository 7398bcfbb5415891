# durable: on
"""Stacked enumerate, zip, map, filter and reversed over shared iterators continue where they were."""
import asyncio

from world import effect


async def main():
    base = iter(range(1, 100))
    pairs = zip(base, base)
    numbered = enumerate(pairs, start=10)
    tripled = map(lambda p: (p[0], p[1][0] * 3, p[1][1]), numbered)
    odd = filter(lambda t: t[1] % 4, tripled)
    out = [next(odd)]
    await effect("one")
    out.append(next(odd))
    out.append(next(base))
    await effect("two")
    out.append(next(odd))
    for item in odd:
        out.append(item)
        if await effect(f"item {item[0]}", item[0]) > 16:
            break
    strict = zip([1, 2], [3], strict=True)
    out.append(next(strict))
    await effect("strict")
    try:
        next(strict)
    except ValueError as error:
        out.append(str(error))
    several = map(pow, [2, 3, 4], iter([5, 2, 1]))
    out.append(next(several))
    await effect("several")
    return out, list(several), list(filter(None, map(int, "10203")))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
