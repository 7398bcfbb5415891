# durable: on
"""Asynchronous generators that nobody uses any more are closed by tasks of their own; their cleanup has effects."""
import asyncio
import contextvars

from world import effect

place = contextvars.ContextVar("place", default="nowhere")


async def rows(name, log):
    try:
        for n in range(10):
            await asyncio.sleep(0)
            yield n
    finally:
        await asyncio.sleep(0.05)
        await effect(f"close {name}")
        log.append((name, place.get()))


async def doubled(items):
    async for item in items:
        yield 2 * item


async def first(name, log):
    place.set(name)
    async for row in doubled(rows(name, log)):
        if row == 4:
            break
    await effect(f"after the break of {name}")
    return row


async def failing(log):
    try:
        async for row in rows("bad", log):
            raise ValueError(row)
    except ValueError as error:
        return error.args


async def main():
    log = []
    found = await first("ann", log)
    more = await asyncio.gather(first("bob", log), first("cid", log), failing(log))
    generator = rows("del", log)
    await anext(generator)
    await effect("before it is deleted")
    del generator
    await effect("in the meantime")
    while len(log) < 5:
        await asyncio.sleep(0.05)
    return found, more, sorted(log), len(asyncio.all_tasks())


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
