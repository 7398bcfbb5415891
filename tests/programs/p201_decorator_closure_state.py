# durable: on
"""Decorators of module-level functions and methods keep counters, caches and locks in captured variables."""
import asyncio
import functools
import threading

from world import effect


def counted(limit, *, step=1):
    lock = threading.Lock()
    calls = 0
    seen = []

    def decorate(function):
        @functools.wraps(function)
        async def inner(*args):
            nonlocal calls
            with lock:
                calls += step
            seen.append(args[-1])
            result = await function(*args)
            return result, calls, len(seen), calls >= limit

        inner.calls = lambda: calls
        return inner

    return decorate


def memoised(function):
    cache = {}

    async def inner(number):
        if number not in cache:
            cache[number] = await function(number)
        return cache[number]

    inner.cache = cache
    return inner


@counted(3)
async def double(number):
    return 2 * await effect(f"double {number}", number)


class Service:
    @counted(2, step=10)
    async def call(self, number):
        return await effect(f"call {number}", number)


@memoised
async def fibonacci(number):
    await effect(f"fibonacci {number}")
    return number if number < 2 else await fibonacci(number - 1) + await fibonacci(number - 2)


async def main():
    out = []
    for number in range(3):
        out.append(await double(number))
        out.append(await Service().call(number))
    out.append((await fibonacci(4), sorted(fibonacci.cache.items())))
    return out, double.calls(), Service.call.calls()



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
