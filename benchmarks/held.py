# durable: on
"""Programs with blocks that hold; as this module is, it runs natively too."""

import asyncio
import time

import aiohttp
import asyncpg

from benchmarks import blocks
from benchmarks.steps import waiting

TASKS = 20


async def crawl(url, count):
    """Some tasks fetch that many pages together; gives the seconds."""
    begun, numbers, lengths = time.time(), iter(range(count)), {}
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for _ in range(TASKS):
            group.create_task(fetch(session, url, numbers, lengths))
    assert len(lengths) == count
    return time.time() - begun


async def fetch(session, url, numbers, lengths):
    """A task of these."""
    for number in numbers:
        async with session.get(f"{url}/page/{number}") as response:
            lengths[number] = len(await response.text())


async def transfer(url, count, log):
    """Some tasks, each with that many transactions of 0.2 s; gives the seconds."""
    async with asyncpg.create_pool(url, min_size=TASKS, max_size=TASKS) as pool:
        begun = time.time()
        async with asyncio.TaskGroup() as group:
            for number in range(TASKS):
                group.create_task(commit_rows(pool, f"task{number}", count, log))
        return time.time() - begun


async def commit_rows(pool, name, count, log):
    """A task of these."""
    for number in range(count):
        async with pool.acquire() as connection, connection.transaction():
            blocks.note(log, name, number)
            await connection.execute("insert into made values ($1, $2)", name, number)
            await connection.execute("select pg_sleep(0.2)")


async def mix(kinds):
    """Tasks of several kinds (how many, how long their blocks are, how many blocks each has), at once; gives the seconds."""
    begun = time.time()
    async with asyncio.TaskGroup() as group:
        for tasks, seconds, count in kinds:
            for number in range(tasks):
                group.create_task(open_blocks(f"{seconds}:{number}", seconds, count))
    return time.time() - begun


async def open_blocks(name, seconds, count):
    """A task of these."""
    for number in range(count):
        async with blocks.block():
            blocks.at_risk.block_begins()
            await asyncio.sleep(blocks.length(seconds, name, number))


async def held_steps(kind, count):
    """That many steps in a block; gives the seconds of one."""
    async with blocks.block():
        begun = time.perf_counter()
        if kind == "sleep":
            for _ in range(count):
                await asyncio.sleep(0)
        elif kind == "library":
            for number in range(count):
                await waiting(number)
        else:
            for _ in range(count):
                await asyncio.to_thread(int)
        return (time.perf_counter() - begun) / count
