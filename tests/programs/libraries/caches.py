# durable: on
"""async-lru, rewritten: tasks that several callers wait for are kept in caches of the module and of a class."""
import asyncio

import durable_import

durable_import.install(modules=["async_lru"])

from async_lru import alru_cache
from world import effect


class Database:
    def __init__(self):
        self.reads = 0

    @alru_cache(maxsize=8)
    async def load(self, key):
        self.reads += 1
        await asyncio.sleep(0.1)
        return await effect(f"load {key}", key * key)


@alru_cache(ttl=60)
async def page(number, *, style="plain"):
    await asyncio.sleep(0.1)
    return await effect(f"page {number}", f"{style} page {number}")


async def user(number, database):
    seen = []
    for step in range(5):
        seen.append(await database.load((number + step) % 5))
        seen.append(await page(step, style="nice"))
        await asyncio.sleep(0.05)
    return seen


async def main():
    database = Database()
    for seen in await asyncio.gather(*(user(n, database) for n in range(6))):
        print(seen)
    print(database.reads, page.cache_info().misses, page.cache_info().currsize)


asyncio.run(main())
