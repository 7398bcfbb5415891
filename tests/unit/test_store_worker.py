"""The thread that does a store's work."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from durable_import.stores.contract import (
    state,
)
from durable_import.stores.sqlite import SQLiteStateStore
from durable_import.stores.worker import Job, Worker


class Recorder:
    """An engine that notes its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.closed = 0

    def run(self, jobs: Sequence[Job[None]]) -> None:
        self.batches.append(len(jobs))
        for job in jobs:
            job.succeed(job.work(None))

    def close(self) -> None:
        self.closed += 1


async def test_worker_groups_what_arrives_while_it_is_busy() -> None:
    """The first job runs alone, those that come meanwhile run together, in order."""
    engine = Recorder()
    worker: Worker[None] = Worker(lambda: engine, "test")
    seen: list[int] = []

    def note(number: int, _: None) -> None:
        seen.append(number)

    go = threading.Event()
    first = asyncio.create_task(worker.call(lambda _: go.wait(10)))
    while not engine.batches:
        await asyncio.sleep(0.001)
    others = [asyncio.create_task(worker.call(partial(note, n))) for n in range(20)]
    await asyncio.sleep(0.01)
    go.set()
    await asyncio.gather(first, *others)
    assert engine.batches == [1, 20]
    assert seen == list(range(20))
    await worker.close()
    assert engine.closed == 1


async def test_worker_delivers_an_engine_that_breaks() -> None:
    """An error of the engine itself reaches the caller, and the worker goes on."""
    engine = Recorder()
    worker: Worker[None] = Worker(lambda: engine, "test")
    with pytest.raises(ZeroDivisionError):
        await worker.call(lambda _: 1 // 0)
    assert await worker.call(lambda _: 5) == 5
    await worker.close()


def test_worker_outlives_a_loop_that_went_away() -> None:
    """A loop that is closed before the answer does not harm the next one."""
    engine = Recorder()
    worker: Worker[None] = Worker(lambda: engine, "test")

    async def impatient() -> None:
        task = asyncio.create_task(worker.call(lambda _: time.sleep(0.1)))
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(impatient())
    assert asyncio.run(worker.call(lambda _: 7)) == 7
    asyncio.run(worker.close())


def test_thread_ends_with_its_store(tmp_path: Path) -> None:
    """A store that is dropped without close leaves no thread behind."""
    store = SQLiteStateStore(tmp_path / "x.db")
    asyncio.run(store.save("a", state(1)))
    name = f"durable_import {tmp_path}/x.db"
    (thread,) = [each for each in threading.enumerate() if each.name == name]
    del store
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()
