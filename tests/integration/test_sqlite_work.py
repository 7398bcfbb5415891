"""The SQLite store as a place for many waiting instances, and databases of earlier releases."""

from __future__ import annotations

import sqlite3
from contextlib import closing, nullcontext
from functools import partial
from pathlib import Path

import pytest

from durable_import.errors import StoreUnavailableError
from durable_import.stores.owner import Owner
from durable_import.stores.sql import migrations
from durable_import.stores.sqlite.rows import find_work
from durable_import.stores.sqlite.schema import APPLICATION_ID
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.testing.contract import refused, state

MANY = 100_000

FILL = """
    WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number WHERE n < :last)
    INSERT INTO instance (instance_id, status, checkpoint, location, function, wake_at, updated_at, call, outcome, snapshot)
    SELECT 'i' || n, 'waiting', 1, 'a.py:1 f', 'f', iif(n % 2, 4e9 + n, NULL), 1e9 + n, x'', x'', zeroblob(500) FROM number
"""


async def test_work_among_many_is_found_by_few_steps(tmp_path: Path) -> None:
    """A hundred thousand waiting instances and a few events: what is to be done is found without going through all."""
    store = SQLiteStateStore(tmp_path / "state.db", "NORMAL")
    await store._worker.call(lambda db: db.execute(FILL, {"last": MANY - 1}))
    await store.save("late", state(1, status="sleeping", wake_at=5.0))
    await store.save("lost", state(1, status="running"))
    for number in range(0, MANY, MANY // 10):
        await store.publish_event(f"i{number}", "e", b"")
    blocks: list[None] = []  # of 100 steps of SQLite's machine

    def find(db: sqlite3.Connection) -> list[str]:
        db.set_progress_handler(lambda: blocks.append(None), 100)
        found = find_work(20, True, db)
        db.set_progress_handler(None, 0)
        return found

    found = await store._worker.call(find, writes=False)
    assert (len(found), found[0]) == (12, "late")
    assert "lost" in found
    assert len(blocks) < 50
    await store.close()


async def test_database_of_an_earlier_release_is_brought_up_to_date(tmp_path: Path) -> None:
    """States, segments and claims that were kept before events existed are there, with blank new entries."""
    owner = Owner.current()
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        for _, script in migrations("sqlite")[:2]:
            db.executescript(script)
        db.execute("INSERT INTO instance VALUES ('a', 'running', 7, 'x.py:1 f', 'f', 1e9, x'00ff')")
        db.execute("INSERT INTO instance VALUES (x'edb280', 'failed', 8, 'y.py:1 f', 'f', 2e9, x'')")
        db.execute("INSERT INTO segment VALUES ('a', 't0.1', x'01')")
        db.execute("INSERT INTO claim VALUES ('a', 3, ?, 1e9, 4e9)", [owner.to_json()])
        db.execute("UPDATE epoch SET last = 3")
        db.execute("PRAGMA user_version = 2")
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.commit()
    store = SQLiteStateStore(tmp_path / "state.db")
    blank = {"wake_at": None, "call": b"", "outcome": b""}
    old = {"status": "running", "checkpoint": 7, "location": "x.py:1 f", "function": "f", "snapshot": b"\x00\xff", **blank}
    assert await store.load("a") == old
    assert await store.load_segments("a") == {"t0.1": b"\x01"}
    assert [each.checkpoint for each in await store.list()] == [8, 7]
    claim = await store.acquire("a", owner)
    assert (claim.epoch, claim.state) == (4, old)
    await store.commit(claim, state(8))
    assert await store.load("a") == state(8)
    assert await store._worker.call(partial(find_work, 5, True), writes=False) == []
    await store.close()


# where the type of the column does not convert what is put there
DAMAGED = [
    *((column, "x'fffe'") for column in ("status", "checkpoint", "location", "function", "wake_at")),
    *((column, value) for column in ("checkpoint", "wake_at") for value in ("'text'", "x''")),
    ("checkpoint", "1.5"),
]


@pytest.mark.parametrize("column", ["status", "checkpoint", "location", "function", "wake_at", "updated_at", "owner"])
@pytest.mark.parametrize("value", ["x'fffe'", "'text'", "7", "1.5", "x''"])
async def test_rows_that_were_tampered_with_harm_no_others(tmp_path: Path, column: str, value: str) -> None:
    """Values of a wrong type are a clear error for their instance, or harmless; the rest of the store works on."""
    store = SQLiteStateStore(tmp_path / "state.db", "NORMAL")
    await store.commit(await store.acquire("bad", Owner.current()), state(1, status="waiting", wake_at=1.0))
    await store.save("good", state(2, status="waiting", wake_at=2.0))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "state.db")) as db:
        table = "claim" if column == "owner" else "instance"
        db.execute(f"UPDATE {table} SET {column} = {value} WHERE instance_id = 'bad'")
        db.commit()
    with refused(StoreUnavailableError, "'bad'", repr(column)) if (column, value) in DAMAGED else nullcontext():
        await store.load("bad")
    assert {each.instance_id for each in await store.list()} == {"bad", "good"}
    assert "good" in await store.find_work(10, orphans=True)
    assert await store.load("good") == state(2, status="waiting", wake_at=2.0)
    await store.delete("bad")
    assert [each.instance_id for each in await store.list()] == ["good"]
    await store.close()
