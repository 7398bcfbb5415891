# durable: on
"""A local recursive function, its own cell and a list of closures over one loop variable survive."""
import asyncio

from world import effect


async def main():
    def fact(n):
        return 1 if n < 2 else n * fact(n - 1)

    async def walk(n):
        await effect(f"walk {n}")
        return [n] if n == 0 else [n, *await walk(n - 1)]

    lambdas = []
    for i in range(3):
        lambdas.append((lambda: i, lambda i=i: i))
    await effect("made")
    before = [(late(), early()) for late, early in lambdas]
    i = await effect("rebind", 42)
    after = [(late(), early()) for late, early in lambdas]
    fact.walk = walk
    fact.memo = {"self": fact}
    await effect("attributes")
    down = await fact.walk(2)
    return [before, after, fact(5), down, fact.memo["self"] is fact, fact.__name__, walk.__qualname__]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
