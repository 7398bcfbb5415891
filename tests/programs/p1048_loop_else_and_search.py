# durable: on
"""Searches over nested iterators with else clauses, labels by flags, and results kept by walrus."""
import asyncio

from world import effect


async def search(grid, want):
    for y, row in enumerate(grid):
        for x, cell in enumerate(row):
            if (got := await effect(f"cell {x},{y}", cell)) == want:
                break
        else:
            continue
        break
    else:
        return None
    return x, y, got


async def first_prime_pair(limit):
    primes = []
    candidates = iter(range(2, limit))
    while (n := next(candidates, None)) is not None:
        for p in primes:
            if n % p == 0:
                break
        else:
            if primes and n - primes[-1] == 2 and await effect(f"twin {n}", n) > 10:
                break
            primes.append(n)
    else:
        return "none", primes
    return n, primes, list(candidates)


async def main():
    grid = [[1, 2], [3, 4], [5, 6]]
    return await search(grid, 4), await search(grid[:1], 9), await first_prime_pair(16), await first_prime_pair(6)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
