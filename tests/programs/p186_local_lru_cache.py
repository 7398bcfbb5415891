# durable: on
"""A function under lru_cache that closes over local data is held across awaits."""
import asyncio
import functools

from world import effect


async def main():
    asked = []

    @functools.lru_cache(maxsize=4)
    def square(n):
        asked.append(n)
        return n * n

    table = {"square": square}
    out = [square(3)]
    await effect("one")
    out.append(table["square"](3))
    await effect("two")
    out.append(square(await effect("n", 4)))
    return out, sorted(set(asked)), square is table["square"], square.__wrapped__(5), square.cache_parameters()["maxsize"]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
