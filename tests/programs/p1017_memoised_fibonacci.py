# durable: on
"""A memoising decorator stores coroutines' results by argument, counts hits, and works for recursive async functions."""
import asyncio
import functools

from world import effect


def memoise(fn):
    cache, hits = {}, 0

    @functools.wraps(fn)
    async def wrapper(*args, **kwargs):
        nonlocal hits
        key = (args, tuple(sorted(kwargs.items())))
        if key in cache:
            hits += 1
            return cache[key]
        result = cache[key] = await fn(*args, **kwargs)
        return result

    wrapper.cache = cache
    wrapper.hits = lambda: hits
    return wrapper


async def main():
    @memoise
    async def fib(n):
        await effect(f"fib {n}")
        return n if n < 2 else await fib(n - 1) + await fib(n - 2)

    @memoise
    async def power(base, *, exponent):
        if exponent == 0:
            return 1
        return base * await power(base, exponent=exponent - 1) + await effect(f"power {exponent}", 0)

    class Counter:
        def __init__(self):
            self.asked = 0

        @memoise
        async def ways(self, n):
            self.asked += 1
            return 1 if n <= 1 else await self.ways(n - 1) + await self.ways(n - 2)

    out = [await fib(6), fib.hits(), await fib(5), fib.hits(), sorted(k[0][0] for k in fib.cache)]
    out += [await power(2, exponent=3), await power(2, exponent=2), power.hits()]
    counter = Counter()
    out.append(await counter.ways(10))
    await effect("held")
    out += [await counter.ways(10), counter.asked, Counter.ways.hits(), fib.__name__]
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
