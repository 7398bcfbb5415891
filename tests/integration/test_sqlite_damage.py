"""Altered rows of an SQLite store: they stop nobody else, and are told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from durable_import.errors import FencedError, InstanceStuckError, SnapshotAuthenticationError
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.testing.contract import refused
from durable_import.testing.contract.store import begin, claim, commit, put, register, saved
from tests.harness.row_damage import damage


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed else []) for seed in range(6)])
def test_whatever_stands_in_rows(seed: int) -> None:
    """No raw error is raised, and the instances that nobody has altered are found and go on."""
    _, wrongs = damage(1000 if not seed else 10_000, seed)
    assert wrongs == []


@pytest.mark.parametrize("is_claimed", [True, False], ids=["claimed", "begun"])
async def test_a_damaged_instance_is_stuck(tmp_path: Path, is_claimed: bool) -> None:
    """Who begins it is told; nobody is given it again, and others are begun."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    for name in ("bad", "good"):
        await put(store, name, saved(1))
    alter(tmp_path, "UPDATE durable_state SET checkpoint = 'many' WHERE number = 1")
    owner = register(store)
    if is_claimed:
        assert [each.claim.instance_id for each in await claim(store, owner)] == ["good"]
    with refused(InstanceStuckError, "'bad'", "'checkpoint' is 'many'", "retry bad"):
        await begin(store, "bad", owner)
    assert [each.claim.instance_id for each in await claim(store, owner)] == ["good"] * (not is_claimed)
    with refused(SnapshotAuthenticationError, "'bad'"):
        await store.load("bad")
    alter(tmp_path, "UPDATE durable_state SET checkpoint = 1 WHERE number = 1")
    assert await store.retry("bad")
    assert (await begin(store, "bad")).state == saved(1)
    await store.close()


@pytest.mark.parametrize("altered", ["DELETE FROM durable_state", "UPDATE durable_instance SET instance_id = x'ff'"])
async def test_what_nobody_can_take_up_stops_no_other(tmp_path: Path, altered: str) -> None:
    """It is passed over."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    for name in ("bad", "good"):
        await put(store, name, saved(1))
    alter(tmp_path, f"{altered} WHERE number = 1")
    owner = register(store)
    assert [each.claim.instance_id for each in await claim(store, owner)][-1:] == ["good"]
    assert await claim(store, owner) == []
    await store.close()


async def test_an_instance_without_a_state_is_told(tmp_path: Path) -> None:
    """Its id is not started over over what is left of it, before it is deleted."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    await put(store, "bad", saved(1))
    alter(tmp_path, "DELETE FROM durable_state")
    with refused(SnapshotAuthenticationError, "'bad'", "no state"):
        await begin(store, "bad")
    await store.delete("bad")
    assert (await begin(store, "bad")).is_new
    await store.close()


async def test_the_greatest_epoch_fences(tmp_path: Path) -> None:
    """No number is the last one."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    owner = register(store)
    old = await begin(store, "a", owner)
    alter(tmp_path, "UPDATE durable_state SET epoch = 9223372036854775807")
    old = old._replace(claim=old.claim._replace(epoch=2**63 - 1))
    await commit(store, old, saved(1))
    new = await begin(store, "a", owner)
    with refused(FencedError):
        await commit(store, old, saved(2))
    await commit(store, new, saved(2))
    await store.close()


async def test_the_greatest_number_of_an_event_stops_no_other(tmp_path: Path) -> None:
    """Those that are published later come after all others, and are told apart."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    for number in range(3):
        await store.publish("a", f"{number}", b"")
    alter(tmp_path, "UPDATE durable_event SET number = 9223372036854775807 WHERE number = 2")
    for number in range(3, 5):
        await store.publish("a", f"{number}", b"")
    assert [(each.number, each.name) for each in await store.load_events("a")] == [
        (1, "0"), (3, "2"), (4, "3"), (5, "4"), (2**63 - 1, "1"),
    ]  # fmt: skip
    await store.close()


async def test_what_is_no_event_is_refused_as_one(tmp_path: Path) -> None:
    """Its name and its payload are what they are to be, and empty: neither was sealed."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    for name in ("a", "b"):
        await store.publish("a", name, b"sealed")
    alter(tmp_path, "UPDATE durable_event SET name = x'ff00', payload = 'text' WHERE number = 1")
    first, second = await store.load_events("a")
    assert (first.payload, second.payload) == (b"", b"sealed")
    assert isinstance(first.name, str)
    await store.close()


async def test_an_owner_whose_row_is_gone_is_dead(tmp_path: Path) -> None:
    """What it had is found."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    begun = await begin(store, "a")
    await commit(store, begun, saved(1))
    alter(tmp_path, "DELETE FROM durable_owner")
    [row] = store.owners()
    assert row.is_dead
    assert store.bury(row.id, row.beat, 10) == 1
    assert store.owners() == []
    assert [each.claim.instance_id for each in await claim(store, register(store))] == ["a"]
    await store.close()


def alter(folder: Path, statement: str) -> None:
    """Do something that nobody should."""
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as connection:
        assert connection.execute(statement).rowcount > 0
