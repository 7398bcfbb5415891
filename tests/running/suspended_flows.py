# durable: on
"""Durable functions in the middle of what a library does for them."""

import asyncio
import contextlib
import socket

from tests.running.suspended import pool


async def fetch(method):
    try:
        return await getattr(pool(), method)()
    except BaseException as error:
        pool().log.append(f"caught {error!r}")
        raise
    finally:
        pool().log.append("finally")


async def fetch_beside(method):
    async with asyncio.TaskGroup() as group:
        child = group.create_task(fetch(method))
    return child.result()


async def fetch_and_keep(method):
    """Comes to a checkpoint that is refused, while a child is in the middle of a call."""
    child = asyncio.create_task(fetch(method))
    while not pool().free.locked():
        await asyncio.sleep(0.001)
    lost = socket.socket()
    await asyncio.sleep(0.001)
    lost.close()
    return await child


async def wait_for_shared():
    pool().log.append("waits")
    return await pool().shared


async def numbers():
    try:
        number = 0
        while True:
            await asyncio.sleep(0)
            number += 1
            yield number
    finally:
        await asyncio.sleep(0)
        pool().log.append("finally")


async def leave_generator():
    left = numbers()
    pool().kept.append(left)
    return await anext(left)


async def lose_generators():
    left, used = numbers(), numbers()
    pool().kept += [left, used]
    await anext(left)
    async for _ in used:
        lost = socket.socket()
        await asyncio.sleep(0.001)
        lost.close()


@contextlib.contextmanager
def reserved(name):
    try:
        yield name
    finally:
        pool().log.append(f"freed {name}")


def counted(name):
    try:
        yield from reversed(range(3))
    finally:
        pool().log.append(f"counted {name}")


async def count_seats():
    """Stands in blocks of generators: of a manager, of one in another, of loops, and of one left in the middle."""
    left = counted("left")
    next(left)
    with reserved("seat"), contextlib.ExitStack() as stack:
        stack.enter_context(reserved("meal"))
        for _ in counted("outer"):
            for _ in counted("inner"):
                await pool().fetch_for_rows()
    pool().log.append("end")
    return next(left)
