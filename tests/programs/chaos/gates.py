# durable: on
"""Tasks wait for primitives at module level: run by a process with its own runtime, each wait begins again after a kill."""
import asyncio

from world import effect

lock = asyncio.Lock()
slots = asyncio.Semaphore(2)
opened = asyncio.Event()
changed = asyncio.Condition()
never = asyncio.Event()


async def visit(number, seen):
    async with lock:
        before = len(seen)
        await effect(f"enter {number}")
        assert len(seen) == before
        seen.append(number)
    async with slots:
        await effect(f"inside {number}")
        await asyncio.sleep(0.1)
    async with changed:
        changed.notify_all()
    return number


async def until(seen, count):
    async with changed:
        await changed.wait_for(lambda: len(seen) >= count)
    return count


async def wait_until_opened():
    await opened.wait()
    return "opened"


async def give_up():
    try:
        async with asyncio.timeout(0.4):
            await never.wait()
    except TimeoutError:
        return await effect("given up", "given up")


async def wait_until_cancelled():
    try:
        await never.wait()
    finally:
        await effect("cancelled")


async def main():
    seen = []
    patient = [asyncio.create_task(coroutine) for coroutine in (until(seen, 3), until(seen, 6), wait_until_opened(), give_up())]
    stubborn = asyncio.create_task(wait_until_cancelled())
    visitors = await asyncio.gather(*(visit(n, seen) for n in range(6)))
    await effect("open")
    opened.set()
    ends = await asyncio.gather(*patient)
    stubborn.cancel("enough")
    ends += await asyncio.gather(stubborn, return_exceptions=True)
    return visitors, sorted(seen), ends
