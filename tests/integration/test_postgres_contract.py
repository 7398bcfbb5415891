"""The contract over PostgreSQL."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from durable_import.stores.base import KeyedStore
from durable_import.stores.postgres.store import PostgresStateStore
from durable_import.stores.store import Store
from durable_import.stores.url import full_store
from durable_import.testing.contract import FullStoreContract, StateStoreContract
from durable_import.testing.contract.history import HistoryContract
from tests.harness.postgres import PostgresServer


def place_of(folder: Path) -> str:
    """A schema for a folder."""
    return f"s{hashlib.sha256(str(folder).encode()).hexdigest()[:20]}"


class TestPostgres(StateStoreContract):
    """Each test in a schema of its own."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres_server: PostgresServer) -> None:
        self.server = postgres_server

    def open(self, folder: Path) -> PostgresStateStore:
        return PostgresStateStore(self.server.url(schema=place_of(folder)))


class TestFullPostgres(FullStoreContract):
    """The same store as the runtime sees it."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres_server: PostgresServer) -> None:
        self.server = postgres_server

    def open(self, folder: Path) -> Store:
        return full_store(PostgresStateStore(self.server.url(schema=place_of(folder))))


class TestPostgresWithHistory(FullStoreContract, HistoryContract):
    """The same store when it keeps history."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres_server: PostgresServer) -> None:
        self.server = postgres_server

    def open(self, folder: Path) -> Store:
        return full_store(PostgresStateStore(self.server.url(schema=place_of(folder)), history=100))


async def test_sources_are_kept_once(postgres_server: PostgresServer) -> None:
    """The first text under a digest stays; an unknown digest has none; the store brings no key of its own."""
    store = PostgresStateStore(postgres_server.url(schema="sources"))
    assert not isinstance(store, KeyedStore)
    full = full_store(store)
    assert await full.load_source("d1") is None
    await full.save_source("d1", "def f():\r\n    'ü\udc80\\n\0\\u0000'\n")
    await full.save_source("d1", "other")
    assert await full.load_source("d1") == "def f():\r\n    'ü\udc80\\n\0\\u0000'\n"
    await full.close()
