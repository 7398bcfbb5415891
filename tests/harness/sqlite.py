"""SQLite stores that do something of their own when they commit."""

from __future__ import annotations

from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.sqlite.store import SQLiteStateStore


def store_over(instances: SQLiteStore) -> SQLiteStateStore:
    """The store of a user over ``instances``."""
    store = SQLiteStateStore(instances.path)
    store.instances = instances
    return store
