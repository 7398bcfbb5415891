# durable: on
"""Module-level functions and methods under lru_cache and cache give the same results after awaits."""
import asyncio
import functools

from world import effect


@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Grid:
    def __init__(self, n):
        self.n = n

    @functools.cache
    def cell(self, x, y):
        return (x * self.n + y) ** 2


async def main():
    grid = Grid(3)
    table = {"fib": fib, "cell": Grid.cell}
    out = [fib(30), grid.cell(1, 2)]
    await effect("one")
    out += [table["fib"](40), table["cell"](grid, 1, 2)]
    await effect("two")
    out.append(fib(await effect("n", 4)))
    return out, table["fib"] is fib, fib.__wrapped__ is not fib, fib.cache_parameters()["maxsize"]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
