# durable: on
"""product, permutations, combinations, combinations_with_replacement and pairwise continue after each await."""
import asyncio
import itertools

from world import effect


async def main():
    products = itertools.product("ab", [1, 2], repeat=1)
    perms = itertools.permutations([1, 2, 3], 2)
    combos = itertools.combinations("wxyz", 2)
    repeated = itertools.combinations_with_replacement("ab", 3)
    pairs = itertools.pairwise([1, 4, 9, 16, 25])
    out = []
    for turn in range(3):
        row = [next(products), next(perms), next(combos), next(repeated), next(pairs)]
        out.append(await effect(f"turn {turn}", row))
    for pair in pairs:
        out.append(pair)
        await effect(f"pair {pair}")
    rest = [list(products), list(perms)]
    await effect("rest")
    return out, rest, list(combos), list(repeated)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
