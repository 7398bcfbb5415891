"""A program with transactions ends as it would, with its rows once, at whichever call within one the connection is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import import DurableRuntime
from durable_import.running import registry
from durable_import.stores.url import open_store
from durable_import.testing.faults import AWAITED, Faults
from tests.harness.imports import imported_rewritten
from tests.harness.lost_connections import Losses
from tests.running.conftest import postgres_url
from tests.running.effects import world
from tests.running.test_fault_at_each_call import repeated

NAMES = ["a", "b"]
PROGRAMS: dict[str, tuple[Any, ...]] = {
    "book_in_turn": (NAMES,), "book_and_undo": (NAMES,), "book_side_by_side": (NAMES,), "book_what_comes": (2,),
    "book_last": ("a",),
}  # fmt: skip
Rows = Callable[[], list[str]]


@pytest.fixture(scope="module")
def programs() -> ModuleType:
    """The module, rewritten."""
    return imported_rewritten("tests.running.ledger_flows")


@pytest.fixture(params=["sqlite", "postgres"])
def ledgers(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], tuple[str, Rows]]:
    """The URL of a store with an empty table beside it, and what that has."""
    if request.param == "postgres":
        server, url = request.getfixturevalue("postgres_server"), postgres_url(request)

        def empty() -> tuple[str, Rows]:
            server.execute("DROP TABLE IF EXISTS ledger; CREATE TABLE ledger (what text)")
            return url, lambda: sorted(row for (row,) in server.execute("SELECT what FROM ledger"))

        return empty
    file = tmp_path / "app.db"

    def query(statement: str) -> list[str]:
        with closing(sqlite3.connect(file)) as connection:
            return sorted(row for (row,) in connection.execute(statement))

    def emptied() -> tuple[str, Rows]:
        query("DROP TABLE IF EXISTS ledger")
        query("CREATE TABLE ledger (what TEXT)")
        return f"sqlite:///{file}?shared=yes", lambda: query("SELECT what FROM ledger")

    return emptied


async def _once(
    ledgers: Callable[[], tuple[str, Rows]], programs: ModuleType, name: str, instance: str, arrange: Callable[[Faults], object]
) -> tuple[tuple[Any, list[str], set[str]], Faults]:
    """Run a program; gives its result, its rows and its effects."""
    world.clear()
    url, rows = ledgers()
    store = open_store(url)
    faults = Faults(store)
    arrange(faults)
    async with asyncio.timeout(60), DurableRuntime(store, key=bytes(32), poll_interval=0.02) as runtime:
        handle = await repeated(lambda: runtime.start(getattr(programs, name), *PROGRAMS[name], instance_id=instance))
        if name == "book_what_comes":
            for event in NAMES:
                await repeated(partial(handle.send, "name", event))
        result = await repeated(lambda: handle.result(timeout=60))
    await store.close()  # type: ignore[attr-defined]
    return (result, rows(), set(world)), faults


@pytest.fixture(autouse=True)
def _pauses_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "FIRST_PAUSE", 0.01)


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow) for name in PROGRAMS])
async def test_at_each_call(
    name: str, ledgers: Callable[[], tuple[str, Rows]], programs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the call is done, and before it is answered; those of the program and those of the store."""
    losses = Losses(monkeypatch)
    expected, faults = await _once(ledgers, programs, name, "undisturbed", lambda _: None)
    assert len(expected[1]) == len(set(expected[1])) > 0
    inside, outside = len(losses.calls), list(faults.calls)
    assert inside >= 5
    for number in range(1, inside + 1):
        for happens in (False, True):
            losses.fail(number, happens=happens)
            found, _ = await _once(ledgers, programs, name, f"{number} {happens}", lambda _: None)
            assert found == expected, f"{losses.calls[number - 1]}, {happens}"
    losses.fail(0, happens=False)
    answered = tuple({*outside} - {"begin_transaction"})  # who has begun a transaction has it
    for number in range(1, len(outside) + 1):
        for happens in (False, True):

            def arrange(faults: Faults, number: int = number, happens: bool = happens) -> None:
                faults.fail(number, answered if happens else AWAITED, happens=happens)

            found, _ = await _once(ledgers, programs, name, f"outside {number} {happens}", arrange)
            assert found == expected, f"call {number} of the store, {happens}"
