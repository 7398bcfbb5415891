"""Lists by status beside many instances that are owned: they cost what they answer."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from durable_import.stores.postgres import looking as postgres_looking
from durable_import.stores.postgres.columns import query
from durable_import.stores.sqlite import looking
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import STATUSES, STUCK, InstanceQuery, Page
from durable_import.testing.contract.store import names, put, saved
from tests.harness.postgres import PostgresServer
from tests.integration.test_postgres_store import opened

MANY = 30_000
SQLITE_FILL = (
    "INSERT INTO durable_owner (id, who, since, until, lease, beat) VALUES (7, '{}', 1.0, 9e9, 30.0, 1)",
    """
    INSERT INTO durable_instance (number, instance_id, function, created_at, shelf)
    WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < :many)
    SELECT n + 100, 'i' || n, 'f', 1e9 + n, 0 FROM number
    """,
    """
    INSERT INTO durable_state (number, owner, epoch, status, checkpoint, location, updated_at, snapshot)
    SELECT number, 7, 1, :status, 1, 'a.py:1 f', created_at, zeroblob(500) FROM durable_instance WHERE shelf = 0
    """,
)
POSTGRES_FILL = (
    "INSERT INTO {schema}.durable_owner (id, who, since, until, lease, beat) VALUES (7, '{{}}', 1.0, 9e9, 30.0, 1)",
    "INSERT INTO {schema}.durable_instance (key, instance_id, function, created_at, shelf) "
    "SELECT sha256(('i' || n)::bytea), 'i' || n, 'f', 1e9 + n, 0 FROM generate_series(1, {many}) n",
    "INSERT INTO {schema}.durable_state (key, owner, epoch, status, checkpoint, location, updated_at, snapshot) "
    "SELECT key, 7, 1, '{status}', 1, 'a.py:1 f', created_at, ''::bytea FROM {schema}.durable_instance WHERE shelf = 0",
    "ANALYZE {schema}.durable_instance, {schema}.durable_state, {schema}.durable_owner",
)


def pages_of(server: PostgresServer, text: str, values: Mapping[str, Any]) -> int:
    """How many a statement looks at."""
    with psycopg.connect(server.url()) as connection:
        [(plans,)] = connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {text}".encode(), values).fetchall()
    top = plans[0]["Plan"]
    return int(top["Shared Hit Blocks"]) + int(top["Shared Read Blocks"])


@pytest.mark.parametrize("owned_as", ["running", "waiting"])
async def test_sqlite_finds_what_is_asked_for(tmp_path: Path, owned_as: str) -> None:
    """Whatever all that is owned does."""
    store = SQLiteStore(str(tmp_path / "state.db"), "NORMAL")
    for status in STATUSES:
        await put(store, status, saved(1, status))

    def fill(db: sqlite3.Connection) -> None:
        for statement in SQLITE_FILL:
            db.execute(statement, {"many": MANY, "status": owned_as})

    await store._worker.call(fill)

    def counting(asked: InstanceQuery, db: sqlite3.Connection) -> tuple[Page, int]:
        blocks: list[None] = []  # of 100 steps of SQLite's machine
        db.set_progress_handler(lambda: blocks.append(None), 100)
        page = looking.list_page(asked, db)
        db.set_progress_handler(None, 0)
        return page, len(blocks)

    for status in (*STATUSES, STUCK):
        for order in ("newest", "oldest"):
            asked = InstanceQuery(status=status, limit=50, order=order)
            page, cost = await store._worker.call(partial(counting, asked))
            assert len(page) == (50 if status == owned_as else int(status != STUCK))
            assert cost < 1000, (status, order)
    await store.close()


@pytest.mark.parametrize("owned_as", ["running", "waiting"])
async def test_postgres_finds_what_is_asked_for(
    postgres_server: PostgresServer, postgres_url: str, schema: str, owned_as: str
) -> None:
    """Likewise, in pages of the database that are looked at."""
    store = opened(postgres_url)
    for status in STATUSES:
        await put(store, status, saved(1, status))
    for statement in POSTGRES_FILL:
        postgres_server.execute(statement.format(schema=schema, many=MANY, status=owned_as))
    for status in (*STATUSES, STUCK):
        asked = InstanceQuery(status=status, limit=50)
        assert len(await names(store, asked)) == (50 if status == owned_as else int(status != STUCK))
        rounds = postgres_looking.list_page(asked)
        statements = [*next(rounds), postgres_looking._statement("list", asked, 0, "owned")]
        for name, values in statements if status != owned_as else statements[:1]:
            looked = pages_of(postgres_server, query(name, schema), values)
            assert looked < 4000, (status, name)
    await store.close()
