"""Databases of earlier releases are brought up to date: large ones, and those that stand in a file of another program."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from durable_import.errors import InstanceBusyError
from durable_import.stores import sql
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite.schema import APPLICATION_ID, FORMAT
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.state import InstanceQuery
from durable_import.testing.contract import refused
from durable_import.testing.contract.store import begin, bury, to_do

ALIVE, GONE = Owner.current(), replace(Owner.current(), pid=2**22 + 1, started="1")
OWNED = """
INSERT INTO claim SELECT instance_id, rowid, ?, 1.5, ? FROM instance WHERE status = 'running' AND rowid / 100 % 2 = ?
"""
INSTANCES = """
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?)
INSERT INTO instance
SELECT
    'i' || n,
    CASE n % 100 WHEN 0 THEN 'running' WHEN 1 THEN 'waiting' WHEN 2 THEN 'sleeping' WHEN 3 THEN 'failed' ELSE 'completed' END,
    7, 'app.py:7 main', 'app:main', CASE n % 100 WHEN 2 THEN 5.0 END, 1000.0 + n, x'63616c6c',
    CASE WHEN n % 100 > 2 THEN x'6f7574' ELSE x'' END, CASE WHEN n % 100 < 4 THEN zeroblob(1000) ELSE x'' END
FROM numbers
"""


def make_earlier(file: Path, count: int, *, is_shared: bool) -> None:
    """A database as the release before the last migration has left it, with ``count`` instances."""
    with closing(sqlite3.connect(file)) as db:
        if is_shared:
            db.executescript(
                f"CREATE TABLE orders (id); INSERT INTO orders VALUES (1); PRAGMA user_version = 42;"
                f"CREATE TABLE {FORMAT} (version INTEGER NOT NULL); INSERT INTO {FORMAT} VALUES (5)"
            )
        else:
            db.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 5")
        for _, script in sql.migrations("sqlite")[:5]:
            db.executescript(script)
        db.execute(INSTANCES, [count])
        db.execute(OWNED, [ALIVE.to_json(), time.time() + 3600, 0])
        db.execute(OWNED, [GONE.to_json(), 2.0, 1])
        db.execute(
            "INSERT INTO event (instance_id, name, published_at, payload)"
            " SELECT instance_id, 'e', 9.0, x'' FROM instance WHERE status = 'waiting' AND rowid % 200 < 100"
        )
        db.commit()


@pytest.mark.parametrize("is_shared", [False, True], ids=["own", "shared"])
@pytest.mark.parametrize("count", [2000, pytest.param(100_000, marks=pytest.mark.slow)])
async def test_a_database_of_before_goes_on(count: int, is_shared: bool, tmp_path: Path) -> None:
    """All is there, and found as ever: what has ended, rests, has an event, is owned by the living and by the dead."""
    make_earlier(tmp_path / "app.db", count, is_shared=is_shared)
    store = SQLiteStateStore(tmp_path / "app.db", shared=is_shared, patience=60.0)
    state = await store.load("i2")
    assert state is not None
    assert (state["status"], state["wake_at"], state["call"], len(state["snapshot"])) == ("sleeping", 5.0, b"call", 1000)
    full, part = store.instances, count // 100
    for status, expected in (("running", part), ("waiting", part), ("sleeping", part), ("failed", part)):
        page = await full.list(InstanceQuery(status=status, limit=count))
        assert (len(page.instances), page.cursor) == (expected, None), status
    newest = (await full.list(InstanceQuery(limit=3))).instances
    assert [each.instance_id for each in newest] == [f"i{count - 1}", f"i{count - 2}", f"i{count - 3}"]
    assert len((await full.list(InstanceQuery(status="completed", limit=50))).instances) == 50
    [mine, theirs] = sorted(full.owners(), key=lambda row: row.who != ALIVE)
    assert (mine.who, theirs.who) == (ALIVE, GONE)
    with refused(InstanceBusyError, str(ALIVE.pid)):
        await begin(full, "i0")
    with_event = len([n for n in range(1, count, 100) if (n + 1) % 200 < 100])
    assert len(await to_do(full, count, orphans=True)) == part + with_event
    assert await bury(full, theirs.id) + await bury(full, mine.id) == part
    assert len(await to_do(full, count, orphans=False)) == part + with_event
    assert await full.remove_finished(0.0) == count - 3 * part
    await store.close()
    with closing(sqlite3.connect(tmp_path / "app.db")) as db:
        if is_shared:
            assert db.execute("SELECT id FROM orders").fetchall() == [(1,)]
            assert db.execute("PRAGMA user_version").fetchall() == [(42,)]
        assert db.execute("SELECT count(*) FROM instance").fetchall() == [(3 * part,)]
        with refused(sqlite3.OperationalError, "no such"):  # as a process of the release before would
            db.execute("UPDATE claim SET until = 1")
