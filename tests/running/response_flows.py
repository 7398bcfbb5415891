# durable: on
"""Durable functions that wait in the block of a response which they have read."""

import asyncio

from durable_import import wait_for_event

CLIENTS = []
MANAGERS = []
NOTES = []


def opened(name):
    manager = CLIENTS[-1].stream("GET", f"http://pages/{name}")
    MANAGERS.append(manager)
    return manager


async def read_and_wait():
    async with opened("one") as response:
        text = "".join([part async for part in response.aiter_text()])
        said = await wait_for_event("go")
        async with opened("two") as second:
            return text, said, (await second.aread()).decode()


async def read(number, texts):
    async with opened(number) as response:
        texts[number] = (await response.aread()).decode()
        await wait_for_event("go")
        await asyncio.sleep(0)
    return number


async def read_many(count):
    texts = {}
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(read(number, texts))
    return [texts[number] for number in range(count)]


async def read_each(count):
    lengths = {}
    for number in range(count):
        async with opened(number) as response:
            lengths[number] = len(await response.aread())
    return len(lengths)


async def read_and_ask(notes, ask):
    async with opened("one") as response:
        notes.append((await response.aread()).decode())
    NOTES.append("read")
    return notes, await ask()
