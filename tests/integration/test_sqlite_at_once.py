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
from durable_import.stores.sqlite import connection as database
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import InstanceState
from durable_import.stores.store import Begun, Kept, Segments
from durable_import.testing.contract import refused
from durable_import.testing.contract.store import CALL, begin, commit, put, saved
from tests.integration.test_sqlite_store import count_transactions


@pytest.fixture(autouse=True)
def _takes_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy the machine is."""
    monkeypatch.setattr(inline_commits, "QUICK_SECONDS", 60.0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SQLiteStore]:
    """One that is being used."""
    made = SQLiteStore(str(tmp_path / "state.db"), "NORMAL", patience=0.2)
    await put(made, "warm", saved(1))
    yield made
    await made.close()


async def begun(store: SQLiteStore) -> Begun:
    owned = await begin(store, "a")
    await commit(store, owned, saved(1))
    return owned


def commit_at_once(
    store: SQLiteStore, owned: Begun, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
) -> bool:
    """Whether a commit was made by the call itself; else it is not made."""
    return store.commit(owned.claim, state, segments, is_whole) is None


@pytest.mark.parametrize("synchronous", ["NORMAL", "FULL"])
async def test_commits_are_made_in_the_thread_of_the_caller(synchronous: str, tmp_path: Path) -> None:
    """Nothing is handed to the store's own thread; another connection sees the commit when the call returns."""
    store = SQLiteStore(str(tmp_path / "state.db"), synchronous)
    owned = await begun(store)
    threads: list[str] = []
    await store._worker.call(lambda db: db.set_trace_callback(lambda _: threads.append(threading.current_thread().name)))
    threads.clear()
    assert commit_at_once(store, owned, saved(2))
    assert set(threads) == {threading.current_thread().name}
    with closing(sqlite3.connect(tmp_path / "state.db")) as other:
        assert other.execute("SELECT checkpoint FROM durable_state").fetchall() == [(2,)]
    await store.close()


async def test_lives_begin_and_end_in_the_thread_of_the_caller(store: SQLiteStore) -> None:
    """But not those of instances that are known: their state may be large, and is loaded."""
    await begun(store)
    threads: set[str] = set()
    await store._worker.call(lambda db: db.set_trace_callback(lambda _: threads.add(threading.current_thread().name)))
    for is_known in (False, True):
        threads.clear()
        claim = (await begin(store, "b")).claim
        assert (threads == {threading.current_thread().name}) is not is_known
        threads.clear()
        await store.end(claim, saved(1, "completed"), keeps=False)
        assert threads == {threading.current_thread().name}


async def test_work_of_the_thread_comes_first(store: SQLiteStore) -> None:
    """A commit at once does not overtake what was handed in before."""
    owned, go = await begun(store), threading.Event()
    busy = asyncio.ensure_future(store._worker.call(lambda _: go.wait(60)))
    handed = asyncio.ensure_future(commit(store, owned, saved(2)))
    await asyncio.sleep(0)
    assert not commit_at_once(store, owned, saved(3))
    go.set()
    await asyncio.gather(busy, handed)
    assert await store.load("a") == Kept(saved(2), CALL)
    assert commit_at_once(store, owned, saved(4))
    assert await store.load("a") == Kept(saved(4), CALL)


async def test_a_lock_is_not_waited_for(store: SQLiteStore, tmp_path: Path) -> None:
    """While another process writes, the event loop goes on; the commit is made, or refused in words, by the thread."""
    owned = await begun(store)
    assert commit_at_once(store, owned, saved(2))
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun_at_once = await count_transactions(store)
        assert not commit_at_once(store, owned, saved(3))
        assert not commit_at_once(store, owned, saved(3), {"k": b""}, True)
        assert len(begun_at_once) <= 2, "each is tried once"
        with refused(StoreUnavailableError, "locked by another process"):
            await commit(store, owned, saved(3))
        other.execute("ROLLBACK")
    assert commit_at_once(store, owned, saved(4))
    assert await store.load("a") == Kept(saved(4), CALL)


async def test_a_replaced_file_is_noticed(store: SQLiteStore, tmp_path: Path) -> None:
    """After the file was removed nothing is committed any more, and the thread says why."""
    owned = await begun(store)
    assert commit_at_once(store, owned, saved(2))
    (tmp_path / "state.db").rename(tmp_path / "away.db")
    assert not commit_at_once(store, owned, saved(3))
    with refused(StoreUnavailableError, "removed or replaced"):
        await commit(store, owned, saved(3))
    (tmp_path / "away.db").rename(tmp_path / "state.db")
    assert commit_at_once(store, owned, saved(4))


@pytest.mark.parametrize("is_link", [False, True])
async def test_a_replaced_folder_is_noticed(store: SQLiteStore, tmp_path: Path, is_link: bool) -> None:
    """Where a file, or a link to itself, stands in the place of the folder, nothing raw is raised, and the thread says why."""
    owned = await begun(store)
    assert commit_at_once(store, owned, saved(2))
    away = tmp_path.with_name(f"{tmp_path.name}_away")
    tmp_path.rename(away)
    tmp_path.symlink_to(tmp_path) if is_link else tmp_path.touch()
    assert not commit_at_once(store, owned, saved(3))
    with refused(StoreUnavailableError, "cannot be used" if is_link else "removed or replaced"):
        await commit(store, owned, saved(3))
    tmp_path.unlink()
    away.rename(tmp_path)
    assert commit_at_once(store, owned, saved(4))


async def test_the_log_does_not_grow_without_end(store: SQLiteStore, tmp_path: Path) -> None:
    """After some thousand pages the commit is left to the thread, which empties the log; that holds for any number."""
    owned = await begun(store)
    were_left = 0
    for number in range(4 * database._LOG_PAGES):
        if not commit_at_once(store, owned, saved(number)):
            await commit(store, owned, saved(number))
            were_left += 1
    assert 3 <= were_left <= 8
    assert os.path.getsize(tmp_path / "state.db-wal") < 3 * database._LOG_PAGES * database._PAGE


async def test_a_large_state_is_left_to_the_thread(store: SQLiteStore) -> None:
    """Also if it is the segments that are large."""
    owned = await begun(store)
    large = b"x" * (inline_commits.QUICK_BYTES + 1)
    assert not commit_at_once(store, owned, saved(2)._replace(snapshot=large))
    assert not commit_at_once(store, owned, saved(2), {"k": large}, True)
    assert commit_at_once(store, owned, saved(2), {"k": b""}, True)


async def test_what_cannot_be_kept_leaves_no_transaction(store: SQLiteStore) -> None:
    """An error of the driver is raised, and the next commit is made."""
    owned = await begun(store)
    with pytest.raises(OverflowError):
        commit_at_once(store, owned, saved(2)._replace(checkpoint=2**70), {}, False)
    assert commit_at_once(store, owned, saved(3))
    assert await store.load("a") == Kept(saved(3), CALL)


async def test_a_full_disk_is_told_by_the_thread(store: SQLiteStore) -> None:
    """What does not fit is not committed at once; ``commit`` raises what it always did."""
    owned = await begun(store)
    await store._worker.call(lambda db: db.execute("PRAGMA max_page_count = 60").fetchone(), writes=False)
    large = saved(2)._replace(snapshot=b"x" * 200_000)
    assert not commit_at_once(store, owned, large)
    with refused(StoreUnavailableError, "the disk is full"):
        await commit(store, owned, large)
    assert commit_at_once(store, owned, saved(3))
    assert await store.load("a") == Kept(saved(3), CALL)


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
async def test_a_fork_has_a_connection_of_its_own(store: SQLiteStore) -> None:
    """A child process uses nothing of its parent's: its first commit opens the file again."""
    owned = await begun(store)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = int(commit_at_once(store, owned, saved(2)))
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    committing = store.commit(owned.claim, saved(3))  # by the thread: the file was closed for the time of the fork
    if committing is not None:
        await committing
    assert commit_at_once(store, owned, saved(4))
