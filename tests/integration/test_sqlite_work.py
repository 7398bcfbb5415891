"""The SQLite store as a place for many waiting instances, and databases of earlier releases."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest

from durable_import.errors import FencedError, InstanceBusyError, SnapshotAuthenticationError, StoreUnavailableError
from durable_import.stores.owner import Owner
from durable_import.stores.sql import migrations
from durable_import.stores.sqlite import claiming, lives, looking, owners
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.sqlite.schema import APPLICATION_ID
from durable_import.stores.state import Event, InstanceQuery, InstanceState
from durable_import.stores.store import Kept
from durable_import.stores.suspects import Suspects
from durable_import.testing.contract import refused
from durable_import.testing.contract.store import CALL, begin, bury, commit, names, put, register, saved, to_do

T = TypeVar("T")
MANY = 100_000
FILL = (
    """
    INSERT INTO durable_instance (number, instance_id, function, created_at, shelf, due, ended_at)
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :last)
    SELECT n, 'i' || n, 'f', 1e9 + n, iif(n % 4, 2, 3), iif(n % 2, 4e9 + n, NULL), iif(n % 4, NULL, 4e9) FROM number
    """,
    """
    INSERT INTO durable_state (number, epoch, status, checkpoint, location, wake_at, updated_at, snapshot)
    SELECT number, 1, iif(shelf = 2, 'waiting', 'completed'), 1, 'a.py:1 f', due, created_at, zeroblob(500) FROM durable_instance
    """,
)


async def test_questions_among_many_cost_what_they_answer(tmp_path: Path) -> None:
    """A hundred thousand instances of other kinds, and a few that are asked for: these are found without going through all."""
    store = SQLiteStore(str(tmp_path / "state.db"), "NORMAL")
    for statement in FILL:
        await store._worker.call(lambda db, statement=statement: db.execute(statement, {"last": MANY}))  # type: ignore[misc]
    await put(store, "late", saved(1, "sleeping", 5.0))
    await put(store, "lost", saved(1, "running"))
    waiting = [number for number in range(1, MANY, MANY // 10) if number % 4][:8]
    for number in waiting:
        await store.publish(f"i{number}", "e", b"")
    begun = await begin(store, "mine")

    async def cheaply(work: Callable[[sqlite3.Connection], T]) -> T:
        blocks: list[None] = []  # of 100 steps of SQLite's machine

        def counting(db: sqlite3.Connection) -> T:
            db.set_progress_handler(lambda: blocks.append(None), 100)
            found = work(db)
            db.set_progress_handler(None, 0)
            return found

        found = await store._worker.call(counting)
        assert len(blocks) < 50, work
        return found

    assert await cheaply(partial(claiming.is_work, [""], True))
    taken = await cheaply(partial(claiming.claim, register(store), 7, 20, [""], True, Suspects(), 4))
    found = [each.claim.instance_id for each, _ in taken]
    assert (found[0], set(found)) == ("late", {"late", "lost", *(f"i{number}" for number in waiting)})
    assert len((await cheaply(partial(looking.list_page, InstanceQuery(limit=50)))).instances) == 50
    prefixed = await cheaply(partial(looking.list_page, InstanceQuery(prefix="mi")))
    assert [each.instance_id for each in prefixed.instances] == ["mine"]
    functions = await cheaply(partial(looking.list_page, InstanceQuery(function="app:main")))
    assert {each.instance_id for each in functions.instances} == {"late", "lost", "mine"}
    assert await cheaply(partial(looking.remove_finished, 0.0)) == 0
    assert not await cheaply(partial(owners.renew, 7, 1, 2, 30.0))
    assert len(await cheaply(owners.rows)) > 0
    await cheaply(partial(lives.release, begun.claim, True, None))
    await store.close()


async def test_the_call_is_written_once(tmp_path: Path) -> None:
    """A commit writes what has changed, however large the arguments of the instance are."""
    store = SQLiteStore(str(tmp_path / "state.db"), "NORMAL")
    begun = await begin(store, "a", call=b"x" * 1_000_000)
    log = tmp_path / "state.db-wal"
    before = log.stat().st_size
    for number in range(20):
        await commit(store, begun, saved(number))
    assert log.stat().st_size - before < 1_000_000
    kept = await store.load("a")
    assert kept is not None
    assert len(kept.call) == 1_000_000
    await store.close()


async def test_one_row_is_renewed_for_all(tmp_path: Path) -> None:
    """However many instances a process owns; they are free when somebody takes it for dead, all of them."""
    store = SQLiteStore(str(tmp_path / "state.db"), "NORMAL")
    owner = register(store)
    for number in range(50):
        await begin(store, f"i{number}", owner)
    statements: list[str] = []
    store._keep(lambda db: db.set_trace_callback(statements.append), writes=False)
    assert store.renew(owner, 0, 7, 30.0)
    assert len([each for each in statements if each.startswith("UPDATE")]) == 1
    with refused(InstanceBusyError):
        await begin(store, "i7")
    assert await bury(store, owner) == 50
    assert set(await to_do(store, 100, orphans=True)) == {f"i{number}" for number in range(50)}
    assert not store.renew(owner, 7, 8, 30.0)
    await store.close()


async def test_who_was_taken_for_dead_has_lost_all(tmp_path: Path) -> None:
    """Also what nobody has taken over yet; it registers again before it begins anything."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    owner = register(store)
    stalled = [await begin(store, f"i{number}", owner) for number in range(3)]
    assert await asyncio.to_thread(store.bury, owner, 0, 1) == 1  # the others are marked, not free yet
    successor = await begin(store, "i0")
    with refused(FencedError, "taken for dead"):
        await begin(store, "i1", owner)
    again = await begin(store, "i1")
    assert await bury(store, owner) == 1
    assert await to_do(store, 9, orphans=True) == ["i2"]
    for begun in (stalled[1], stalled[2]):
        with refused(FencedError):
            await commit(store, begun, saved(9))
    for begun in (successor, again):
        await commit(store, begun, saved(1))
    await store.close()


async def test_processes_that_have_left_nothing_are_forgotten(tmp_path: Path) -> None:
    """Their rows do not pile up, also if nobody looks for work."""
    for number in range(5):
        store = SQLiteStore(str(tmp_path / "state.db"))
        begun = await begin(store, f"i{number}", store.register(Owner.current(), 0.0))
        await store.end(begun.claim, saved(1, "completed"), keeps=False)
        await store.close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        assert db.execute("SELECT count(*) FROM durable_owner").fetchall() == [(1,)]


async def test_what_could_not_be_released_is_later(tmp_path: Path) -> None:
    """The lease of the process would keep it from everybody else as long as that lives."""
    store = SQLiteStore(str(tmp_path / "state.db"), patience=0.1)
    begun = await begin(store, "a")
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with refused(StoreUnavailableError, "locked"):
            await store.release(begun.claim)
        other.execute("ROLLBACK")
    assert await to_do(store, 9, orphans=True) == ["a"]
    await begin(store, "a")
    await store.close()


OWNER = Owner.current()
EARLIER = (
    "INSERT INTO instance VALUES ('a', 'running', 7, 'x.py:1 f', 'f', 5.0, 1e9, x'c1', x'', x'00ff')",
    "INSERT INTO instance VALUES (x'edb280', 'failed', 8, 'y.py:1 f', 'f', NULL, 2e9, x'c2', x'0e', x'')",
    "INSERT INTO instance VALUES ('due', 'sleeping', 1, 'y.py:1 f', 'f', 5.0, 3e9, x'c3', x'', x'01')",
    "INSERT INTO instance VALUES ('told', 'waiting', 2, 'y.py:1 f', 'f', NULL, 3e9, x'c4', x'', x'02')",
    "INSERT INTO instance VALUES ('left', 'pending', 0, '', 'f', NULL, 3e9, x'c5', x'', x'')",
    "INSERT INTO segment VALUES ('a', 't0.1', x'01')",
    "INSERT INTO event (instance_id, name, published_at, payload) VALUES ('told', 'e', 7.0, x'0a')",
    "INSERT INTO event_id VALUES ('id 1', 7.0)",
    "INSERT INTO history VALUES ('a', 6, 'running', 'x.py:0 f', 'f', NULL, x'c1', x'', x'06')",
    "INSERT INTO source VALUES ('digest', 'text')",
    "INSERT INTO claim VALUES ('nobody', 4, 'no JSON', 1e9, 1.0)",
    "UPDATE epoch SET last = 4",
)


async def test_database_of_the_release_before_is_brought_up_to_date(tmp_path: Path) -> None:
    """All that was kept is there, who owns something still does, and what is to be done is found."""
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        for _, script in migrations("sqlite")[:5]:
            db.executescript(script)
        for statement in EARLIER:
            db.execute(statement)
        db.execute("INSERT INTO claim VALUES ('a', 3, ?, 1e9, ?)", [OWNER.to_json(), time.time() + 3600])
        db.execute("PRAGMA user_version = 5")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.commit()
    store = SQLiteStore(str(tmp_path / "state.db"))
    old = InstanceState("running", 7, "x.py:1 f", "f", 5.0, b"\x00\xff", b"")
    assert await store.load("a") == Kept(old, b"\xc1")
    assert await store.load("\udc80") == Kept(InstanceState("failed", 8, "y.py:1 f", "f", None, b"", b"\x0e"), b"\xc2")
    assert await store.load_segments("a") == {"t0.1": b"\x01"}
    assert await store.load_events("told") == [Event(1, "e", b"\x0a")]
    assert await store.was_published("id 1")
    assert await store.load_source("digest") == "text"
    assert [each.checkpoint for each in await store.load_history("a")] == [6, 7]
    assert set(await names(store, InstanceQuery())) == {"a", "\udc80", "due", "told", "left"}
    with refused(InstanceBusyError, "'a'"):
        await begin(store, "a")
    assert await to_do(store, 9, orphans=True) == ["due", "told", "left"]
    begun = await begin(store, "told")
    assert (begun.state, begun.call) == (InstanceState("waiting", 2, "y.py:1 f", "f", None, b"\x02", b""), b"\xc4")
    await commit(store, begun, saved(3))
    assert await store.load("told") == Kept(saved(3), b"\xc4")
    await store.close()


@pytest.mark.parametrize("latest", [1, 2, 3, 4, 5])
async def test_databases_of_all_earlier_releases_are_brought_up_to_date(latest: int, tmp_path: Path) -> None:
    """Whatever was not kept then is blank."""
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        for _, script in migrations("sqlite")[:latest]:
            db.executescript(script)
        columns = "instance_id, status, checkpoint, location, function, updated_at, snapshot"
        blank, values = (", call, outcome", ", x'', x''") if latest > 2 else ("", "")
        db.execute(f"INSERT INTO instance ({columns}{blank}) VALUES ('a', 'running', 7, 'x.py:1 f', 'f', 1e9, x'00ff'{values})")
        db.execute(f"PRAGMA user_version = {latest}")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.commit()
    store = SQLiteStore(str(tmp_path / "state.db"))
    assert await store.load("a") == Kept(InstanceState("running", 7, "x.py:1 f", "f", None, b"\x00\xff", b""), b"")
    assert await to_do(store, 9, orphans=True) == ["a"]
    await store.close()


async def test_a_process_of_an_earlier_release_commits_nothing_more(tmp_path: Path) -> None:
    """The tables that it knows are gone: its statements fail, and change nothing."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    await put(store, "a", saved(1))
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        for statement in (
            "UPDATE instance SET checkpoint = 9",
            "UPDATE claim SET until = 5e9",
            "INSERT INTO segment VALUES (1, 2, 3)",
        ):
            with pytest.raises(sqlite3.OperationalError):
                db.execute(statement)
        assert db.execute("SELECT instance_id, checkpoint FROM instance").fetchall() == [("a", 1)]
    await store.close()


# where the type of the column does not convert what is put there
DAMAGED = [
    *((column, "x'fffe'") for column in ("status", "checkpoint", "location", "function", "wake_at")),
    *((column, value) for column in ("checkpoint", "wake_at") for value in ("'text'", "x''")),
    ("checkpoint", "1.5"),
]
TABLES = {"function": "durable_instance", "due": "durable_instance", "shelf": "durable_instance", "who": "durable_owner"}
COLUMNS = ["status", "checkpoint", "location", "function", "wake_at", "updated_at", "owner", "due", "shelf", "who"]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", ["x'fffe'", "'text'", "7", "1.5", "x''"])
async def test_rows_that_were_tampered_with_harm_no_others(tmp_path: Path, column: str, value: str) -> None:
    """Values of a wrong type are a clear error for their instance, or harmless; the rest of the store works on."""
    store = SQLiteStore(str(tmp_path / "state.db"), "NORMAL")
    await commit(store, await begin(store, "bad"), saved(1, "waiting", 1.0))
    await put(store, "good", saved(2, "waiting", 2.0))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        table = TABLES.get(column, "durable_state")
        only = (
            "" if table == "durable_owner" else "WHERE number = (SELECT number FROM durable_instance WHERE instance_id = 'bad')"
        )
        db.execute(f"UPDATE {table} SET {column} = {value} {only}")
        db.commit()
    with refused(SnapshotAuthenticationError, "'bad'", repr(column)) if (column, value) in DAMAGED else nullcontext():
        await store.load("bad")
    assert "good" in await names(store, InstanceQuery())
    assert "good" in await to_do(store, 10, orphans=True)
    assert await store.load("good") == Kept(saved(2, "waiting", 2.0), CALL)
    await store.delete("bad")
    assert await names(store, InstanceQuery()) == ["good"]
    await store.close()


async def test_a_claim_whose_answer_was_lost_is_repeated(tmp_path: Path) -> None:
    """It gives what it has taken, and nothing else."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    for name in ("a", "b", "c"):
        await put(store, name, saved(1))
    owner = register(store)
    lost = await store.claim(owner, 77, 2)
    again = await store.claim(owner, 77, 2, is_again=True)
    assert sorted(each.claim for each in again) == sorted(each.claim for each in lost)
    for begun in again:
        await commit(store, begun, saved(2))
    [rest] = await store.claim(owner, 78, 2, is_again=True)
    assert rest.claim.instance_id == "c"
    await store.close()


async def test_transactions_of_a_process_take_turns(tmp_path: Path) -> None:
    """In the order of asking; those that wait do not ask for the lock meanwhile, and are told if it takes too long."""
    store, begun = SQLiteStore(str(tmp_path / "state.db"), patience=0.5), list[int]()

    async def transact(number: int) -> None:
        transaction = await store.begin_transaction()
        begun.append(number)
        await asyncio.sleep(0)
        await transaction.rollback()

    first = await store.begin_transaction()
    waiting = [asyncio.create_task(transact(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert [thread.name for thread in threading.enumerate()].count("durable_import transaction") == 1
    waiting[1].cancel()
    await first.rollback()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert begun == [0, 2, 3, 4]
    await store.begin_transaction()  # nobody has it
    last = await store.begin_transaction()
    with pytest.raises(StoreUnavailableError, match="keep transactions short"):
        await store.begin_transaction()
    await last.rollback()
    await store.close()
