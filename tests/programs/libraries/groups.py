# durable: on
"""anyio, rewritten: its task groups, cancel scopes, streams and locks are held across checkpoints."""
import asyncio

import durable_import

durable_import.install(modules=["anyio", "anyio.*"])

import anyio
from world import effect


async def child(number, ended):
    await anyio.sleep(0.05)
    ended.append(await effect(f"child {number}", number))
    await anyio.sleep(0.05)


async def produce(send):
    async with send:
        for n in range(6):
            await send.send(await effect(f"item {n}", n))


async def fails():
    await effect("fails")
    raise ValueError("failed")


async def visit(number, limiter, lock, event):
    async with limiter:
        await effect(f"visit {number}")
    async with lock:
        await anyio.lowlevel.checkpoint()
    await event.wait()


async def start(number, *, task_status):
    await effect(f"start {number}")
    task_status.started(number)
    await anyio.sleep_forever()


async def main():
    ended = []
    async with anyio.create_task_group() as group:
        for n in range(4):
            group.start_soon(child, n, ended)
        await effect("body")
    print(sorted(ended))
    with anyio.move_on_after(0.3) as scope:
        await anyio.sleep(30)
    print(scope.cancelled_caught)
    try:
        with anyio.fail_after(0.1):
            await anyio.sleep(30)
    except TimeoutError as error:
        print(repr(error))
    send, receive = anyio.create_memory_object_stream(2)
    async with anyio.create_task_group() as group, receive:
        group.start_soon(produce, send)
        print([item async for item in receive])
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(fails)
            await anyio.sleep(30)
    except* ValueError as failures:
        print(failures.exceptions)
    limiter, lock, event = anyio.CapacityLimiter(2), anyio.Lock(), anyio.Event()
    async with anyio.create_task_group() as group:
        for n in range(4):
            group.start_soon(visit, n, limiter, lock, event)
        await anyio.sleep(0.1)
        event.set()
    async with anyio.create_task_group() as group:
        print([await group.start(start, n) for n in range(3)])
        with anyio.CancelScope(shield=True):
            await effect("shielded")
        group.cancel_scope.cancel()
    print("end")


asyncio.run(main())
