"""Stores that have lost commits which they had confirmed: a standby without them has taken over, or a backup was restored."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from durable_import import DurableRuntime
from durable_import.errors import FencedError, StateLostError
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import InstanceQuery
from durable_import.stores.store import Begun, Store
from durable_import.testing.contract import refused
from durable_import.testing.contract.store import PENDING, begin, claim, commit, names, put, register, saved
from tests.harness.imports import imported_rewritten
from tests.harness.postgres import PostgresServer
from tests.integration.test_postgres_store import opened
from tests.running.effects import world

Execute = Callable[[str], object]


async def check_refused(store: Store, execute: Execute) -> None:
    """Nothing is written on top of a checkpoint that is gone, nor taken away; who starts over goes on from what there is."""
    begun = await begin(store, "a")
    await commit(store, begun, saved(1), {"segment": b"of 1"})
    await commit(store, begun, saved(2), {}, is_whole=False)
    await commit(store, begun, saved(2), {}, is_whole=False)
    execute("UPDATE durable_state SET checkpoint = 1")
    for segments in ({"segment": b"of 3"}, {"segment": None}, None):
        with refused(StateLostError, "'a' stands at checkpoint 1, and 2 was committed"):
            await commit(store, begun, saved(3), segments, segments is None)
    with refused(StateLostError, "'a' stands at checkpoint 1"):
        await store.end(begun.claim, saved(3, "completed"), keeps=False)
    assert await store.load_segments("a") == {"segment": b"of 1"}
    again = await store.begin("a", (await claim_of(store)), 7, None, b"")
    assert again.state is not None
    assert again.state.checkpoint == 1
    with refused(FencedError, "taken over"):
        await commit(store, begun, saved(3))
    await commit(store, again, saved(2))
    await store.end(again.claim, saved(3, "completed"), keeps=False)
    await store.end(again.claim, saved(3, "completed"), keeps=False)  # the answer was lost
    assert await names(store, InstanceQuery(status="completed")) == ["a"]
    await store.close()


async def claim_of(store: Store) -> int:
    """The owner of the one instance."""
    [row] = await asyncio.to_thread(store.owners)
    return row.id


async def test_sqlite_commits_on_top_of_what_it_has(tmp_path: Path) -> None:
    """In the loop's thread as well as in its own."""
    path = tmp_path / "state.db"

    def execute(statement: str) -> None:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(statement)

    await check_refused(SQLiteStore(str(path), "NORMAL"), execute)


async def test_postgres_commits_on_top_of_what_it_has(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Other statements of the same transaction change nothing either."""

    def execute(statement: str) -> None:
        postgres_server.execute(statement.replace("durable_state", f"{schema}.durable_state"))

    await check_refused(opened(postgres_url), execute)


@pytest.mark.parametrize("place", ["sqlite", "postgres"])
async def test_what_nobody_waits_for_any_more_is_free(place: str, tmp_path: Path, postgres_url: str) -> None:
    """An instance that was begun although whoever asked for it has gone is not owned for ever."""
    store: Store = SQLiteStore(str(tmp_path / "state.db")) if place == "sqlite" else opened(postgres_url)
    await put(store, "a", saved(1))
    owner = register(store)
    known = await begin(store, "known", owner)
    for name, new in (("a", None), ("new", PENDING)):
        asking = asyncio.create_task(begin(store, name, owner, new))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
    taken: list[Begun] = []
    there = ["a", "new"]
    while sorted(each.claim.instance_id for each in taken) != there:
        taken += await claim(store, owner)
        await asyncio.sleep(0.01)
        there = [name for name in ("a", "new") if await store.summary(name) is not None]  # it may have been cancelled too soon
    for each in (*taken, known):
        await commit(store, each, saved(2))
    assert await claim(store, owner) == []
    await store.close()


def backup(source: Path, target: Path) -> None:
    """Waits for those who are writing into the target."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


async def test_a_backup_is_restored_under_a_process(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Each instance goes on from what the backup has, and what it wrote into the same file is there once."""
    flows = imported_rewritten("tests.running.ledger_flows")
    path, copy, steps, ids = tmp_path / "app.db", tmp_path / "copy.db", 40, ["a", "b", "c"]
    world.clear()
    async with asyncio.timeout(60), DurableRuntime(f"sqlite:///{path}?shared=yes") as runtime:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("CREATE TABLE ledger (what TEXT)")
        handles = [await runtime.start(flows.book_for_long, name, steps, instance_id=name) for name in ids]
        for count, source, target in ((30, path, copy), (60, copy, path)):
            while len(world) < count:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(backup, source, target)
        assert await asyncio.gather(*(handle.result() for handle in handles)) == ids
    effects = Counter(world)
    assert (len(effects), max(effects.values())) == (len(ids) * steps, 2)
    with closing(sqlite3.connect(path)) as connection:
        rows = Counter(what for (what,) in connection.execute("SELECT what FROM ledger"))
    assert rows == Counter(f"{name} {number}" for name in ids for number in range(4, steps, 5))
    assert len([each for each in caplog.records if "gone back" in each.message and each.levelno >= logging.WARNING]) == 1
