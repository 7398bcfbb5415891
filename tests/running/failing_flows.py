# durable: on
"""Durable functions that fail, and do something on the way out."""

import asyncio
import random

from durable_import import step_key, wait_for_event
from tests.running.effects import effect, need, world


async def pay(flag):
    await effect("reserve")
    try:
        await need(flag, step_key())
    except LookupError:
        await effect(f"refund {step_key()}")
        await asyncio.gather(effect("one"), effect("two"))
        raise
    await effect(f"ship {step_key()}")
    return await asyncio.gather(effect("one more"), effect("two more"))


async def pass_on(flag):
    """The exception only goes from task to task."""
    await effect("begun")
    first, _ = await asyncio.gather(need(flag, "key"), effect("beside"))
    return first


async def change_large_data(flag):
    data = random.Random(1).randbytes(400_000)
    first = data[:10]
    await effect("begun")
    try:
        await need(flag, "key")
    finally:
        data = random.Random(2).randbytes(400_000)
        await effect("changed")
        data = random.Random(3).randbytes(400_000)
        await effect("changed again")
    return first


async def keep_large_data(flag):
    data = random.Random(1).randbytes(400_000)
    await effect("begun")
    try:
        await need(flag, "key")
    except LookupError:
        await lose(data)
        raise
    return data == random.Random(1).randbytes(400_000)


async def lose(data):
    del data
    await effect("lost")


async def take_event(flag):
    await effect("begun")
    try:
        await need(flag, "key")
    except LookupError:
        world.append(await wait_for_event("answer"))
        raise
    return await wait_for_event("answer")
