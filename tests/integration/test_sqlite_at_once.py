"""Commits that a SQLite store makes in the event loop's own thread: when it does, and what stands in their way."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from durable_import.errors import StoreUnavailableError
from durable_import.stores import inline_commit_policy as inline_commits
from durable_import.stores.base import Claim
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite import connection as database
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.testing.contract import refused, state
from tests.integration.test_sqlite_store import count_transactions


@pytest.fixture(autouse=True)
def _takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(inline_commits, "QUICK_SECONDS", 60.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStateStore]:
    """One that is being used."""
    made = SQLiteStateStore(tmp_path / "state.db", "NORMAL", patience=0.2)
    await made.save("warm", state(1))
    yield made
    await made.close()


async def begun(store: SQLiteStateStore) -> Claim:
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    return claim


@pytest.mark.parametrize("synchronous", ["NORMAL", "FULL"])
async def test_commits_are_made_in_the_thread_of_the_caller(synchronous: str, tmp_path: Path) -> None:
    """Nothing is handed to the store's own thread; another connection sees the commit when the call returns."""
    store = SQLiteStateStore(tmp_path / "state.db", synchronous)
    claim = await begun(store)
    threads: list[str] = []
    await store._worker.call(lambda db: db.set_trace_callback(lambda _: threads.append(threading.current_thread().name)))
    threads.clear()
    assert store.commit_at_once(claim, state(2))
    assert set(threads) == {threading.current_thread().name}
    with closing(sqlite3.connect(tmp_path / "state.db")) as other:
        assert other.execute("SELECT checkpoint FROM instance").fetchall() == [(2,)]
    await store.close()


async def test_lives_begin_and_end_in_the_thread_of_the_caller(store: SQLiteStateStore) -> None:
    """But not those of instances that are known: their state may be large, and is loaded."""
    await begun(store)
    threads: set[str] = set()
    await store._worker.call(lambda db: db.set_trace_callback(lambda _: threads.add(threading.current_thread().name)))
    for is_known in (False, True):
        threads.clear()
        claim, _ = await store.begin("b", Owner.current(), 30.0, state(0, status="pending"))
        assert (threads == {threading.current_thread().name}) is not is_known
        threads.clear()
        await store.end(claim, state(1, status="completed"), keeps=False)
        assert threads == {threading.current_thread().name}


async def test_work_of_the_thread_comes_first(store: SQLiteStateStore) -> None:
    """A commit at once does not overtake what was handed in before."""
    claim, go = await begun(store), threading.Event()
    busy = asyncio.ensure_future(store._worker.call(lambda _: go.wait(60)))
    handed = asyncio.ensure_future(store.commit(claim, state(2)))
    await asyncio.sleep(0)
    assert not store.commit_at_once(claim, state(3))
    go.set()
    await asyncio.gather(busy, handed)
    assert await store.load("a") == state(2)
    assert store.commit_at_once(claim, state(4))
    assert await store.load("a") == state(4)


async def test_a_lock_is_not_waited_for(store: SQLiteStateStore, tmp_path: Path) -> None:
    """While another process writes, the event loop goes on; the commit is made, or refused in words, by the thread."""
    claim = await begun(store)
    assert store.commit_at_once(claim, state(2))
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun_at_once = await count_transactions(store)
        assert not store.commit_at_once(claim, state(3))
        assert not store.commit_at_once(claim, state(3), {"k": b""}, True)
        assert len(begun_at_once) <= 2, "each is tried once"
        with refused(StoreUnavailableError, "locked by another process"):
            await store.commit(claim, state(3))
        other.execute("ROLLBACK")
    assert store.commit_at_once(claim, state(4))
    assert await store.load("a") == state(4)


async def test_a_replaced_file_is_noticed(store: SQLiteStateStore, tmp_path: Path) -> None:
    """After the file was removed nothing is committed any more, and the thread says why."""
    claim = await begun(store)
    assert store.commit_at_once(claim, state(2))
    (tmp_path / "state.db").rename(tmp_path / "away.db")
    assert not store.commit_at_once(claim, state(3))
    with refused(StoreUnavailableError, "removed or replaced"):
        await store.commit(claim, state(3))
    (tmp_path / "away.db").rename(tmp_path / "state.db")
    assert store.commit_at_once(claim, state(4))


async def test_the_log_does_not_grow_without_end(store: SQLiteStateStore, tmp_path: Path) -> None:
    """After some thousand pages the commit is left to the thread, which empties the log; that holds for any number."""
    claim = await begun(store)
    were_left = 0
    for number in range(4 * database._LOG_PAGES):
        if not store.commit_at_once(claim, state(number)):
            await store.commit(claim, state(number))
            were_left += 1
    assert 3 <= were_left <= 8
    assert os.path.getsize(tmp_path / "state.db-wal") < 3 * database._LOG_PAGES * database._PAGE


async def test_a_large_state_is_left_to_the_thread(store: SQLiteStateStore) -> None:
    """Also if it is the segments that are large."""
    claim = await begun(store)
    large = b"x" * (inline_commits.QUICK_BYTES + 1)
    assert not store.commit_at_once(claim, state(2, snapshot=large))
    assert not store.commit_at_once(claim, state(2), {"k": large}, True)
    assert store.commit_at_once(claim, state(2), {"k": b""}, True)


async def test_what_cannot_be_kept_leaves_no_transaction(store: SQLiteStateStore) -> None:
    """An error of the driver is raised, and the next commit is made."""
    claim = await begun(store)
    with pytest.raises(OverflowError):
        store.commit_at_once(claim, state(2) | {"checkpoint": 2**70}, {}, False)
    assert store.commit_at_once(claim, state(3))
    assert await store.load("a") == state(3)


async def test_a_full_disk_is_told_by_the_thread(store: SQLiteStateStore) -> None:
    """What does not fit is not committed at once; ``commit`` raises what it always did."""
    claim = await begun(store)
    await store._worker.call(lambda db: db.execute("PRAGMA max_page_count = 30").fetchone(), writes=False)
    large = state(2, snapshot=b"x" * 200_000)
    assert not store.commit_at_once(claim, large)
    with refused(StoreUnavailableError, "the disk is full"):
        await store.commit(claim, large)
    assert store.commit_at_once(claim, state(3))
    assert await store.load("a") == state(3)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
async def test_a_fork_has_a_connection_of_its_own(store: SQLiteStateStore) -> None:
    """A child process uses nothing of its parent's: its first commit opens the file anew."""
    claim = await begun(store)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = int(store.commit_at_once(claim, state(2)))
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert store.commit_at_once(claim, state(3))
