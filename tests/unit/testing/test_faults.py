"""Faults on purpose do what they are told, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from durable_import.errors import StoreUnavailableError
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.store import Kept, Store
from durable_import.stores.url import full_store
from durable_import.testing.contract import StateStoreContract, state
from durable_import.testing.contract.store import CALL, StoreContract, begin, commit, saved
from durable_import.testing.faults import Faults


class TestWithoutFaults(StateStoreContract):
    """A store with no fault arranged passes its contract."""

    survives = False

    def open(self, folder: Path) -> InMemoryStateStore:  # noqa: ARG002
        store = InMemoryStateStore()
        Faults(store)
        return store


class TestFullWithoutFaults(StoreContract):
    """A full store with no fault arranged passes its contract."""

    def open(self, folder: Path) -> Store:
        store = SQLiteStateStore(folder / "state.db")
        Faults(store)
        return full_store(store)


async def test_faults_of_a_full_store(tmp_path: Path) -> None:
    """They are those of all that is done with it: commits and ends are counted, and nothing is done at once."""
    store = SQLiteStateStore(tmp_path / "state.db")
    faults = Faults(store)
    full = full_store(store)
    begun = await begin(full, "a")
    faults.fail(2)
    faults.fail(4, happens=True)
    await commit(full, begun, saved(1))
    with pytest.raises(StoreUnavailableError, match="arranged"):
        await commit(full, begun, saved(2))
    await commit(full, begun, saved(3))
    with pytest.raises(StoreUnavailableError, match="arranged"):
        await full.end(begun.claim, saved(4, "completed"), keeps=False)
    await full.end(begun.claim, saved(4, "completed"), keeps=False)
    assert await full.load("a") == Kept(saved(4, "completed"), CALL)
    assert faults.calls == ["begin", "commit", "commit", "commit", "end", "end", "load"]
    await full.close()


async def test_store_that_refuses_for_a_while() -> None:
    """Within the block everything fails, after it nothing."""
    store = InMemoryStateStore()
    faults = Faults(store)
    with faults.refusing():
        for call in (store.load("a"), store.save("a", state(1)), store.instances.publish("a", "e", b"")):
            with pytest.raises(StoreUnavailableError):
                await call
    assert await store.load("a") is None
    await store.save("a", state(1))


async def test_commits_that_take_long() -> None:
    """A delay holds up the named calls only, and ends when it is set to 0."""
    store = InMemoryStateStore()
    faults = Faults(store)
    faults.delay(0.01)
    saving = asyncio.create_task(store.save("a", state(1)))
    await asyncio.sleep(0)
    assert await store.load("a") is None
    await saving
    assert await store.load("a") == state(1)
    faults.delay(3600)
    saving = asyncio.create_task(store.save("a", state(2)))
    await asyncio.sleep(0)
    faults.delay(0.0)
    await asyncio.wait_for(store.save("a", state(3)), 60)
    assert not saving.done()
    saving.cancel()
