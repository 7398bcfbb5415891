"""The contract of full stores over every embedded one, and over those that users implement."""

from __future__ import annotations

from pathlib import Path

import pytest

from durable_import.errors import DurableError, SnapshotAuthenticationError, StoreError
from durable_import.stores import inline_commit_policy as inline_commits
from durable_import.stores.disk.store import DiskStateStore
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.state import InstanceQuery
from durable_import.stores.store import Store
from durable_import.stores.url import full_store
from durable_import.testing.contract import FullStoreContract, refused
from durable_import.testing.contract.history import HistoryContract
from durable_import.testing.contract.store import SingleStoreContract, to_do
from tests.harness.users_store import UsersStore


class TestMemory(FullStoreContract):
    survives = False

    def open(self, folder: Path) -> Store:  # noqa: ARG002
        return full_store(InMemoryStateStore())


class TestMemoryWithHistory(FullStoreContract, HistoryContract):
    survives = False

    def open(self, folder: Path) -> Store:  # noqa: ARG002
        return full_store(InMemoryStateStore(history=True))


class TestDisk(FullStoreContract):
    def open(self, folder: Path) -> Store:
        return full_store(DiskStateStore(folder / "store"))


class TestDiskWithHistory(FullStoreContract, HistoryContract):
    def open(self, folder: Path) -> Store:
        return full_store(DiskStateStore(folder / "store", history=True))


class TestSQLite(FullStoreContract):
    def open(self, folder: Path) -> Store:
        return full_store(SQLiteStateStore(folder / "deep" / "state.db"))


class TestSQLiteAtOnce(FullStoreContract):
    """All that may be quick is, however busy the machine is."""

    @pytest.fixture(autouse=True)
    def _takes_its_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(inline_commits, "QUICK_SECONDS", 60.0)

    def open(self, folder: Path) -> Store:
        return full_store(SQLiteStateStore(folder / "state.db", synchronous="normal"))


class TestSQLiteWithHistory(FullStoreContract, HistoryContract):
    def open(self, folder: Path) -> Store:
        return full_store(SQLiteStateStore(folder / "state.db", history=True))


class TestSQLiteInMemory(FullStoreContract):
    survives = False

    def open(self, folder: Path) -> Store:  # noqa: ARG002
        return full_store(SQLiteStateStore(":memory:"))


class TestUsers(SingleStoreContract):
    """One that can save and load."""

    survives = False

    def open(self, folder: Path) -> Store:  # noqa: ARG002
        return full_store(UsersStore())


async def test_what_a_users_store_cannot_do() -> None:
    """It is told, and nothing is made up."""
    store = full_store(UsersStore())
    with refused(DurableError, "cannot list its instances"):
        await store.list(InstanceQuery())
    with refused(DurableError, "cannot look for unfinished instances", "use SQLite"):
        await to_do(store, 1, orphans=True)
    with refused(DurableError, "cannot delete"):
        await store.delete("a")
    assert (store.transactions, store.history, store.keeps_segments) == (None, None, False)


async def test_what_is_no_state_is_refused() -> None:
    """Whatever somebody has put there: the error names the instance, and what is wrong."""
    users = UsersStore()
    users.states["a"] = {"status": "running"}
    with refused(SnapshotAuthenticationError, "'a'", "exactly the keys"):
        await full_store(users).load("a")


def test_stores_of_earlier_releases_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """One that has owners of its own is refused, lest nobody fences others; of all else it is said that nobody asks for it."""

    class WithEvents(UsersStore):
        async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
            raise AssertionError((instance_id, name, payload))

    class WithOwners(WithEvents):
        async def acquire(self, instance_id: str) -> None:
            raise AssertionError(instance_id)

    full_store(WithEvents())
    assert "is asked for load and save only: its publish_event is not used" in caplog.text
    with refused(StoreError, "has owners of its own (acquire, publish_event)", "FullStateStore", "one process at a time"):
        full_store(WithOwners())
