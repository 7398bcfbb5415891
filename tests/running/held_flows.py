# durable: on
"""Durable functions that are held for long, while much happens in them."""

import asyncio

from durable_import import wait_for_event


async def go_on(count, tasks):
    for _ in range(count):
        async with asyncio.TaskGroup() as group:
            for number in range(tasks):
                group.create_task(asyncio.sleep(0.001, number))


async def hold(block, look, tasks):
    await go_on(2, tasks)
    async with block():
        await go_on(20, tasks)
        noted = look()
    said = await wait_for_event("go")
    await go_on(2, tasks)
    return noted, said
