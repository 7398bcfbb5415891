# durable: on
"""An asynchronous generator follows cursors over pages, is left early, and is wrapped by other generators."""
import asyncio
import contextlib

from world import effect


DATA = [f"item{n}" for n in range(11)]


async def get_page(cursor, size, stats):
    stats["requests"] += 1
    items = DATA[cursor : cursor + size]
    following = cursor + size if cursor + size < len(DATA) else None
    return await effect(f"page {cursor}", {"items": items, "next": following})


async def everything(size, stats):
    cursor = 0
    try:
        while cursor is not None:
            page = await get_page(cursor, size, stats)
            for item in page["items"]:
                stats["yielded"] += 1
                yield item
            cursor = page["next"]
    finally:
        stats["closed"] += 1


async def take(source, n):
    if n:
        async for item in source:
            yield item
            n -= 1
            if not n:
                break


async def main():
    stats = dict(requests=0, yielded=0, closed=0)
    all_items = [item async for item in everything(4, stats)]
    await effect("all")
    async with contextlib.aclosing(everything(3, stats)) as source:
        few = [item async for item in take(source, 4)]
        await effect("few")
        one_more = await anext(source)
    evens = {item: n async for item, n in numbered(everything(5, stats)) if n % 2 == 0}
    return len(all_items), few, one_more, evens, stats


async def numbered(source):
    n = 0
    async for item in source:
        yield item, n
        n += 1


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
