"""Structured concurrency in a module that is not marked: each call is one leaf."""
import anyio
from world import effect


async def fan_out(numbers):
    found = []

    async def find(number):
        await anyio.sleep(0.02 * number)
        found.append(await effect(f"fan {number}", number))

    async with anyio.create_task_group() as group:
        for number in numbers:
            group.start_soon(find, number)
    return found


async def limited(number):
    with anyio.fail_after(30):
        await anyio.sleep(0.05)
        return await effect(f"limited {number}", number)
