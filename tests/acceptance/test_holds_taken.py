"""Locks and semaphores that the instances of an application share, taken by `acquire()` alone, under kills and evictions."""

from __future__ import annotations

import sys

import pytest

from tests.acceptance.test_holds_locks import sections
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

FLOWS = """
    # durable: on
    import asyncio
    import room
    from durable_import import wait_for_event

    LOCK, SEMAPHORE, BOUNDED, CONDITION = asyncio.Lock(), asyncio.Semaphore(2), asyncio.BoundedSemaphore(2), asyncio.Condition()
    TOKENS = asyncio.Semaphore(0)

    class Gate:
        shut = asyncio.Lock()

        def __init__(self):
            self.lock, self.semaphore = asyncio.Lock(), asyncio.Semaphore(2)

    GATE = Gate()

    async def inside(what, n, most, taken):
        await room.use(what, n, most)
        assert taken.locked() or most > 1, f"{what} is not locked"
        await asyncio.sleep(0.1)
        await room.use(what, n, most)
        assert taken.locked() or most > 1, f"{what} is not locked"
        room.leave(what, n)

    async def section(what, n, most, taken):
        for _ in range(2):
            await taken.acquire()
            try:
                await inside(what, n, most, taken)
            finally:
                taken.release()
            await asyncio.sleep(0.01)
        return n

    async def locked(n):
        return await section("lock", n, 1, LOCK)

    async def counted(n):
        return await section("semaphore", n, 2, SEMAPHORE)

    async def bounded(n):
        return await section("bounded", n, 2, BOUNDED)

    async def attribute(n):
        await section("gate", n, 1, GATE.lock)
        await section("gate's semaphore", n, 2, GATE.semaphore)
        return await section("shut", n, 1, Gate.shut)

    async def entered(n):
        for _ in range(2):
            async with GATE.lock:
                await inside("gate", n, 1, GATE.lock)
            async with GATE.semaphore:
                await inside("gate's semaphore", n, 2, GATE.semaphore)
        return n

    async def conditioned(n):
        for _ in range(2):
            await CONDITION.acquire()
            await inside("condition", n, 1, CONDITION)
            CONDITION.notify_all()
            try:
                await asyncio.wait_for(CONDITION.wait(), 0.1)
            except asyncio.TimeoutError:
                pass
            await inside("condition", n, 1, CONDITION)
            CONDITION.release()
        return n

    async def take():
        await LOCK.acquire()
        await asyncio.sleep(0.01)

    async def give():
        await asyncio.sleep(0.01)
        LOCK.release()

    async def apart(n):
        for _ in range(2):
            await take()
            await inside("lock", n, 1, LOCK)
            await asyncio.create_task(give())
        return n

    async def timed(n):
        for _ in range(2):
            await asyncio.wait_for(LOCK.acquire(), 60)
            await inside("lock", n, 1, LOCK)
            LOCK.release()
            async with asyncio.timeout(60):
                await SEMAPHORE.acquire()
            await inside("semaphore", n, 2, SEMAPHORE)
            SEMAPHORE.release()
        return n

    async def told(n):
        await SEMAPHORE.acquire()
        await room.use("semaphore", n, 2)
        await LOCK.acquire()
        await room.use("lock", n, 1)
        got = await wait_for_event("go")
        await room.use("lock", n, 1)
        room.leave("lock", n)
        LOCK.release()
        await room.use("semaphore", n, 2)
        room.leave("semaphore", n)
        SEMAPHORE.release()
        return got

    async def asleep(n):
        await SEMAPHORE.acquire()
        await room.use("semaphore", n, 2)
        await asyncio.sleep(0.3)
        await room.use("semaphore", n, 2)
        room.leave("semaphore", n)
        SEMAPHORE.release()
        await TOKENS_GIVEN(n)
        return n

    async def TOKENS_GIVEN(n):
        TOKENS.release()
        await TOKENS.acquire()

    async def beside(n):
        async def wait_long():
            await asyncio.sleep(0.2)
        async with asyncio.TaskGroup() as group:
            group.create_task(wait_long())
            group.create_task(section("lock", n, 1, LOCK))
            group.create_task(section("semaphore", n, 2, SEMAPHORE))
        return n
"""


@pytest.mark.parametrize("kind", ["locked", "counted", "told"])
def test_what_is_taken_is_not_taken_twice(desk: Desk, kind: str) -> None:
    """However often it is killed or its instances are evicted, no section has more inside than it allows, and all of them end."""
    sections(desk, kind, FLOWS)


@pytest.mark.parametrize("kind", ["bounded", "conditioned", "apart", "timed", "asleep", "attribute", "entered", "beside"])
def test_other_ways_to_take(desk: Desk, kind: str) -> None:
    """So it is with other kinds of locks, other ways to take them, and other places where they are."""
    sections(desk, kind, FLOWS)


GIVEN = """
    # durable: on
    import asyncio

    LOCK, SEMAPHORE = asyncio.Lock(), asyncio.Semaphore(1)

    async def forgetful(n):
        await LOCK.acquire()
        await SEMAPHORE.acquire()
        await asyncio.sleep(0.01)
        if n == 1:
            raise ValueError("failed")
        return n

    async def stopped():
        await LOCK.acquire()
        await SEMAPHORE.acquire()
        print("in", flush=True)
        await asyncio.sleep(30)
"""

GIVEN_APP = """
    import asyncio
    import durable_import
    durable_import.install()
    import flows

    async def main():
        async with durable_import.DurableRuntime("sqlite:///app.db") as runtime:
            handles = [await runtime.start(flows.forgetful, n) for n in range(3)]
            print([await asyncio.gather(handle.result(), return_exceptions=True) for handle in handles], flush=True)
            stopped = await runtime.start(flows.stopped)
            await asyncio.sleep(0.2)
            await stopped.cancel()
            await asyncio.gather(stopped.result(), return_exceptions=True)
            print(flows.LOCK.locked(), flows.SEMAPHORE.locked())

    asyncio.run(main())
"""


def test_what_an_instance_leaves_behind_is_given_back(desk: Desk) -> None:
    """Where an instance ends, fails or is cancelled without having released it, others go on, and it is told."""
    desk.write("flows.py", GIVEN)
    desk.write("app.py", GIVEN_APP)
    done = desk.start_command([sys.executable, "app.py"]).end()
    assert done.status == 0, done
    assert done.out == "[[0], [ValueError('failed')], [2]]\nin\nFalse False\n", done
    assert "had not released the Lock that it took at" in done.err, done
    assert "flows.py:7" in done.err, done
