"""A program's own rows and its checkpoint are committed together, or neither is."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableError, DurableRuntime, InMemoryStateStore, StoreUnavailableError
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.sqlite.store import SQLiteStateStore
from tests.harness.sqlite import store_over
from tests.running.conftest import postgres_url
from tests.running.effects import open_gates, reached_gates, world
from tests.running.test_life import until


@dataclass
class Ledger:
    """A table of the program in the store's database."""

    url: str
    rows: Callable[[], list[Any]]


@pytest.fixture(params=["sqlite", "postgres"])
async def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    """An empty one."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        server.execute("DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (what text UNIQUE, place serial)")
        return Ledger(postgres_url(request), lambda: [row for (row,) in server.execute("SELECT what FROM ledger ORDER BY place")])
    file = tmp_path / "app.db"
    store = SQLiteStateStore(file)
    await store.load("nobody")
    await store.close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE ledger (what TEXT UNIQUE)")

    def rows() -> list[Any]:
        with closing(sqlite3.connect(file)) as connection:
            return [row for (row,) in connection.execute("SELECT what FROM ledger ORDER BY rowid")]

    return Ledger(f"sqlite:///{file}", rows)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DURABLE_KEY", "00" * 32)


async def test_rows_and_checkpoint(ledger: Ledger, flows: ModuleType) -> None:
    """What the block did is there once it was left, and the program goes on with its variables."""
    async with DurableRuntime(ledger.url) as runtime:
        assert await runtime.run(flows.book, ["a", "b"], instance_id="book") == ["a", "b"]
        assert await runtime.handle("book").status() == "completed"
    assert ledger.rows() == ["a", "b"]


async def test_exception_undoes(ledger: Ledger, flows: ModuleType) -> None:
    """A block that an exception leaves has done nothing."""
    async with DurableRuntime(ledger.url) as runtime:
        assert await runtime.run(flows.book_and_fail, "a", instance_id="book") == "undone"
        assert await runtime.run(flows.book, ["b"], instance_id="next") == ["b"]
    assert ledger.rows() == ["b"]


async def test_what_the_database_ends_is_tried_again(ledger: Ledger, flows: ModuleType) -> None:
    """A lost connection goes past the program: the transaction begins again from the last checkpoint."""
    async with DurableRuntime(ledger.url) as runtime:
        assert await runtime.run(flows.book_through_a_loss, "a", instance_id="book") == "a"
        assert (await runtime.handle("book").info()).attempts == 0
    assert world == ["before", "booked", "lost", "booked", "after"]
    assert ledger.rows() == ["a"]


async def test_what_another_database_refuses_is_the_programs(tmp_path: Path, flows: ModuleType) -> None:
    """Only the store's own connection tells that the store is away."""
    async with DurableRuntime(f"sqlite:///{tmp_path / 'app.db'}") as runtime:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            await runtime.run(flows.book_elsewhere, str(tmp_path / "other.db"), instance_id="book")


async def test_block_that_is_interrupted_runs_again(ledger: Ledger, flows: ModuleType) -> None:
    """Nothing is committed inside a block: after an interruption it begins again, and its rows are there once."""
    async with DurableRuntime(ledger.url) as runtime:
        await runtime.start(flows.book_at_a_gate, "a", "booked", instance_id="held")
        await until(lambda: "booked" in reached_gates)
    assert ledger.rows() == []
    open_gates.add("booked")
    async with DurableRuntime(ledger.url) as runtime:
        assert await runtime.run(flows.book_at_a_gate, "a", "booked", instance_id="held") == "a"
    assert ledger.rows() == ["a"]
    assert world == ["before", "booked", "booked", "after"]


async def test_other_tasks_stand_still(ledger: Ledger, flows: ModuleType) -> None:
    """While a transaction is open, no other task of the instance goes on; tasks that it makes do."""
    async with DurableRuntime(ledger.url) as runtime:
        before, inside, after = await runtime.run(flows.book_beside_others, instance_id="tasks")
        assert before == inside
        assert after > inside
    assert ledger.rows() == ["one", "two"]


async def test_lost_transaction_is_made_again(tmp_path: Path, flows: ModuleType, caplog: pytest.LogCaptureFixture) -> None:
    """If it cannot be committed, the program goes on from before it."""
    store = store_over(Fragile(str(tmp_path / "app.db")))
    await store.load("nobody")
    with closing(sqlite3.connect(tmp_path / "app.db")) as connection:
        connection.execute("CREATE TABLE ledger (what TEXT UNIQUE)")
        async with DurableRuntime(store) as runtime:
            assert await runtime.run(flows.book, ["a"], instance_id="book") == ["a"]
        assert connection.execute("SELECT what FROM ledger").fetchall() == [("a",)]
    await store.close()
    assert "was lost" in caplog.text


class Fragile(SQLiteStore):
    """Its first transaction cannot be committed."""

    begun = 0

    async def begin_transaction(self) -> Any:
        transaction = await super().begin_transaction()
        self.begun += 1
        return Broken(transaction) if self.begun == 1 else transaction


class Broken:
    """A transaction whose connection breaks at its end."""

    def __init__(self, transaction: Any) -> None:
        self._transaction = transaction
        self.connection = transaction.connection

    async def commit(self, *arguments: Any) -> None:  # noqa: ARG002  the protocol's signature
        await self._transaction.rollback()
        raise StoreUnavailableError("the connection broke")

    async def rollback(self) -> None:
        await self._transaction.rollback()


async def test_misuse(flows: ModuleType) -> None:
    """Outside of an instance, and with a store that has no transactions, the error says so."""
    async with DurableRuntime(InMemoryStateStore()) as runtime:
        with pytest.raises(DurableError, match="outside of an instance"):
            async with runtime.transaction():
                pass
        with pytest.raises(DurableError, match="no transactions"):
            await runtime.run(flows.book, ["a"], instance_id="book")


@pytest.mark.parametrize("how", ["start", "send", "cancel"])
async def test_what_writes_beside_the_transaction(ledger: Ledger, flows: ModuleType, how: str) -> None:
    """It would not be undone with it, and in SQLite wait for it until it times out: refused at once."""
    async with DurableRuntime(ledger.url) as runtime, asyncio.timeout(60):
        with pytest.raises(DurableError, match=r"inside a transaction of instance 'beside'.*Do it behind the block"):
            await runtime.run(flows.write_beside_the_transaction, how, instance_id="beside")
    assert ledger.rows() == []
