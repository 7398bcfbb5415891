"""The contract over PostgreSQL."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from durable_import.stores.base import KeyedStore, OwningStore, SourceStore
from durable_import.stores.postgres.store import PostgresStateStore
from durable_import.stores.store import Store
from durable_import.stores.url import full_store
from durable_import.testing.contract import (
    DistinctEventStoreContract,
    LifeStoreContract,
    SegmentStoreContract,
    TransactionStoreContract,
    WatchedStoreContract,
    WorkStoreContract,
)
from durable_import.testing.contract.store import StoreContract
from tests.harness.postgres import PostgresServer


class TestPostgres(
    LifeStoreContract,
    SegmentStoreContract,
    DistinctEventStoreContract,
    WorkStoreContract,
    WatchedStoreContract,
    TransactionStoreContract,
):
    """Each test in a schema of its own, with its user's table beside the store's."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres_server: PostgresServer) -> None:
        self.server = postgres_server

    def open(self, folder: Path) -> OwningStore:
        schema = f"s{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"
        self.table = f"orders_{schema}"
        return PostgresStateStore(self.server.url(schema=schema))


class TestFullPostgres(StoreContract):
    """The same store as the runtime sees it."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres_server: PostgresServer) -> None:
        self.server = postgres_server

    def open(self, folder: Path) -> Store:
        schema = f"s{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"
        return full_store(PostgresStateStore(self.server.url(schema=schema)))


async def test_sources_are_kept_once(postgres_server: PostgresServer) -> None:
    """The first text under a digest stays; an unknown digest has none; the store brings no key of its own."""
    store = PostgresStateStore(postgres_server.url(schema="sources"))
    assert isinstance(store, SourceStore)
    assert not isinstance(store, KeyedStore)
    assert await store.load_source("d1") is None
    await store.save_source("d1", "def f():\r\n    'ü\udc80\\n\0\\u0000'\n")
    await store.save_source("d1", "other")
    assert await store.load_source("d1") == "def f():\r\n    'ü\udc80\\n\0\\u0000'\n"
    await store.close()
