# durable: on
"""aiostream, rewritten: its tasks, generators and stacks are alive at checkpoints."""
import asyncio

import durable_import

durable_import.install(modules=["aiostream", "aiostream.*"])

from aiostream import pipe, stream
from world import effect


async def source(name, count, pause):
    for n in range(count):
        await asyncio.sleep(pause)
        yield name + str(await effect(f"{name} {n}", n))


async def work(number):
    await asyncio.sleep(0.05)
    return await effect(f"work {number}", number * 2)


async def main():
    totals = stream.range(12) | pipe.map(work, task_limit=4) | pipe.accumulate()
    print(await stream.list(totals))
    merged = []
    async with stream.merge(source("a", 5, 0.02), source("b", 5, 0.03), source("c", 4, 0.04)).stream() as streamer:
        async for item in streamer:
            merged.append(item)
    print(sorted(merged))
    flat = stream.iterate(["p", "q", "r"]) | pipe.flatmap(lambda name: source(name, 3, 0.02), task_limit=2)
    print(sorted(await stream.list(flat)))
    print(await stream.list(stream.chunks(source("k", 7, 0.01), 3)))
    try:
        await (stream.iterate(source("t", 3, 5)) | pipe.timeout(0.1))
    except asyncio.TimeoutError as error:
        print(repr(error))


asyncio.run(main())
