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

from durable_import.stores.inline_commit_policy import ALONE, QUICK_BYTES, QUICK_SECONDS, InlineCommitPolicy
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.worker import Job, Worker
from durable_import.testing.contract import state


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
    first = asyncio.create_task(worker.call(lambda _: go.wait(60)))
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


async def test_idle_engine_is_lent() -> None:
    """Work at once is done in the caller's thread if the worker has begun and does nothing; not before, meanwhile or after."""
    engine = Recorder()
    worker: Worker[None] = Worker(lambda: engine, "test")
    seen: list[object] = []

    def borrow(lent: Recorder) -> bool:
        seen.append((lent, threading.current_thread()))
        return True

    assert not worker.at_once(borrow)
    await worker.call(lambda _: None)
    assert worker.at_once(borrow)
    assert seen == [(engine, threading.current_thread())]
    go = threading.Event()
    busy = asyncio.create_task(worker.call(lambda _: go.wait(60)))
    await asyncio.sleep(0)
    assert not worker.at_once(borrow)
    go.set()
    await busy
    assert worker.at_once(borrow)
    closing = asyncio.create_task(worker.close())
    await asyncio.sleep(0)
    assert not worker.at_once(borrow)
    await closing
    assert not worker.at_once(borrow)
    assert len(seen) == 2


async def test_two_do_not_borrow_the_engine_together() -> None:
    """While one thread has the engine, another one is told to hand its work in."""
    worker: Worker[None] = Worker(Recorder, "test")
    await worker.call(lambda _: None)
    has_it, answers, go = threading.Event(), [], threading.Event()

    def keep(_: Recorder) -> bool:
        has_it.set()
        return go.wait(60)

    other = threading.Thread(target=lambda: answers.append(worker.at_once(keep)))
    other.start()
    has_it.wait(10)
    assert not worker.at_once(lambda _: True)
    go.set()
    other.join(10)
    assert answers == [True]
    assert worker.at_once(lambda _: True)
    await worker.close()


def test_pace_is_that_of_the_last_commits() -> None:
    """Nothing is quick before it was measured; one slow commit is forgotten after some quick ones, many are not."""
    inline_commits = InlineCommitPolicy(few=1)
    assert not inline_commits.is_quick("a", 100)
    inline_commits.has_taken(QUICK_SECONDS / 10)
    assert inline_commits.is_quick("a", 100)
    assert not inline_commits.is_quick("a", QUICK_BYTES + 1)
    inline_commits.has_taken(60.0)
    assert not inline_commits.is_quick("a", 100)
    for _ in range(5):
        inline_commits.has_taken(QUICK_SECONDS / 10)
    assert inline_commits.is_quick("a", 100)
    for _ in range(5):
        inline_commits.has_taken(2 * QUICK_SECONDS)
    assert not inline_commits.is_quick("a", 100)


def test_inline_commits_leave_a_crowd_to_the_thread() -> None:
    """Where commits are better together, those of an instance are quick when it is the only one, or the only one that commits."""
    inline_commits = InlineCommitPolicy(few=1)
    inline_commits.has_taken(0.0)
    inline_commits.is_owned("a")
    assert inline_commits.is_quick("a", 1)
    inline_commits.is_owned("b")
    assert not inline_commits.is_quick("a", 1)
    for _ in range(ALONE):
        inline_commits.comes("a")
    assert inline_commits.is_quick("a", 1)
    assert not inline_commits.is_quick("b", 1)
    inline_commits.comes("b")
    assert not inline_commits.is_quick("a", 1)
    inline_commits.is_released("b")
    assert inline_commits.is_quick("a", 1)
