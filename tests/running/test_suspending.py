"""What becomes of a library's coroutines when the instance that is in the middle of them is suspended."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableRuntime, FencedError, InstanceSuspendedError, UnsavableStateError
from durable_import.stores.memory import InMemoryStateStore, MemoryStore
from durable_import.stores.store import Begun
from tests.harness.imports import imported_rewritten
from tests.harness.users_store import store_over
from tests.running.suspended import POOLS, Pool
from tests.running.test_life import until

WAYS = ["fetch", "fetch_in_child", "fetch_in_group", "fetch_in_time", "fetch_for_rows", "fetch_by_polling"]


@pytest.fixture
def flows() -> ModuleType:
    """Functions that await the library, rewritten."""
    return imported_rewritten("tests.running.suspended_flows")


@pytest.fixture
def pool() -> Iterator[Pool]:
    """The pool of the application, which outlives the runtime."""
    POOLS.append(Pool())
    yield POOLS[-1]
    POOLS.clear()


def runtime_over(store: InMemoryStateStore, grace_seconds: float = 10.0, hold_limit: float | None = None) -> DurableRuntime:
    return DurableRuntime(store, key=bytes(32), grace_seconds=grace_seconds, hold_limit=hold_limit)


@pytest.mark.parametrize("function", ["fetch", "fetch_beside"])
@pytest.mark.parametrize("way", WAYS)
async def test_library_cleans_up(way: str, function: str, flows: ModuleType, pool: Pool) -> None:
    """A pool of one has its connection back after a suspension in the middle of a call, which is made again on resume."""
    store = InMemoryStateStore()
    async with runtime_over(store) as runtime:
        handle = await runtime.start(getattr(flows, function), way, instance_id="i")
        await until(pool.free.locked)
    with pytest.raises(InstanceSuspendedError):
        await handle.result()
    assert not pool.free.locked()
    assert pool.log == ["given back"]
    async with runtime_over(store) as runtime:
        assert await runtime.run(getattr(flows, function), way, instance_id="i") == "fetched"
    assert pool.log == ["given back", "given back", "finally"]


async def test_library_cleans_up_when_a_checkpoint_is_refused(flows: ModuleType, pool: Pool) -> None:
    """So does it when the state cannot be saved."""
    async with runtime_over(InMemoryStateStore(), hold_limit=0) as runtime:
        with pytest.raises(UnsavableStateError, match="socket"):
            await runtime.run(flows.fetch_and_keep, "fetch")
    assert pool.log == ["given back"]


async def test_lost_while_a_library_cleans_up(flows: ModuleType, pool: Pool) -> None:
    """Who waits for an instance that is lost to another owner, while what it has begun ends, is told so, and not cancelled."""
    async with runtime_over(InMemoryStateStore(), hold_limit=0) as runtime:
        handle = await runtime.start(flows.fetch_and_keep, "hold_on", instance_id="i")
        await until(lambda: bool(pool.log))
        run = runtime.running["i"]
        assert run.task is not None
        run.is_lost()
        with pytest.raises(FencedError):
            await run.task
    with pytest.raises(InstanceSuspendedError):
        await handle.result()


async def test_lost_while_it_is_taken_up(flows: ModuleType, pool: Pool) -> None:
    """So is who starts an instance that is lost before it has begun."""

    class Slow(MemoryStore):
        async def begin(self, *arguments: Any) -> Begun:
            pool.log.append("begins")
            await asyncio.sleep(3600)
            return await super().begin(*arguments)

    async with runtime_over(store_over(Slow())) as runtime:
        starting = asyncio.create_task(runtime.start(flows.fetch, "fetch", instance_id="i"))
        await until(lambda: bool(pool.log))
        runtime.running["i"].is_lost()
        with pytest.raises(FencedError):
            await starting


async def test_library_that_goes_on(flows: ModuleType, pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    """A call that does not end when it is cancelled is dropped when the time is over, and that is told with its place."""
    async with runtime_over(InMemoryStateStore(), grace_seconds=0.05) as runtime:
        await runtime.start(flows.fetch, "hold_on", instance_id="i")
        await until(pool.free.locked)
    first, second = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert "suspended_flows.py:13: a step did not end in time when the instance was suspended" in first
    assert second.startswith("foreign code failed when it was dropped with an instance: RuntimeError")
    assert pool.log == ["goes on after CancelledError", "goes on after GeneratorExit"]


async def test_library_that_fails(flows: ModuleType, pool: Pool, caplog: pytest.LogCaptureFixture) -> None:
    """An error of the cleanup is told; the call is made again on resume."""
    store = InMemoryStateStore()
    async with runtime_over(store) as runtime:
        await runtime.start(flows.fetch, "fail", instance_id="i")
        await until(pool.free.locked)
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert "a step failed when it was cancelled" in record.getMessage()
    assert "OSError('the other side is gone')" in record.getMessage()
    async with runtime_over(store) as runtime:
        assert await runtime.run(flows.fetch, "fail", instance_id="i") == "fetched"


async def test_shared_future_is_not_cancelled(flows: ModuleType, pool: Pool) -> None:
    """A task of the application that an instance waits for is the application's: it goes on."""

    async def work() -> str:
        await asyncio.sleep(0.02)
        return "worked"

    pool.shared = asyncio.create_task(work())  # type: ignore[attr-defined]
    async with runtime_over(InMemoryStateStore()) as runtime:
        await runtime.start(flows.wait_for_shared, instance_id="i")
        await until(lambda: "waits" in pool.log)
    assert await pool.shared == "worked"  # type: ignore[attr-defined]


@pytest.mark.parametrize(("function", "log"), [("leave_generator", ["finally"]), ("lose_generators", [])])
def test_generators_of_the_program(function: str, log: list[str], flows: ModuleType, pool: Pool) -> None:
    """What a program leaves in the middle is closed with the event loop, as natively; of one that was suspended nothing runs."""

    async def main() -> None:
        async with runtime_over(InMemoryStateStore(), hold_limit=0) as runtime:
            with contextlib.suppress(UnsavableStateError):
                assert await runtime.run(getattr(flows, function)) == 1

    asyncio.run(main())
    assert len(pool.kept) == 1 + (function == "lose_generators")
    pool.kept.clear()
    assert pool.log == log


async def test_blocks_of_generators(flows: ModuleType, pool: Pool) -> None:
    """Blocks in synchronous generators of the program do not run when it is suspended, also right after it was resumed."""
    store = InMemoryStateStore()
    for _ in range(3):
        async with runtime_over(store) as runtime:
            await runtime.start(flows.count_seats, instance_id="i")
            await until(pool.free.locked)
        gc.collect()
        assert pool.log == ["given back"]
        pool.log.clear()
    pool.log.append("given back")  # it waits no more
    async with runtime_over(store) as runtime:
        assert await runtime.run(flows.count_seats, instance_id="i") == 1
    ended = ["counted inner"] * 3 + ["counted outer", "freed meal", "freed seat", "end", "counted left"]
    gc.collect()
    assert [line for line in pool.log if line != "given back"] == ended
