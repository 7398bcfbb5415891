"""What users implement, and a store in memory that differs."""

from __future__ import annotations

from typing import Any

from durable_import.stores.base import StateStore
from durable_import.stores.memory import InMemoryStateStore, MemoryStore


class UsersStore(StateStore):
    """The least that a user implements."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        found = self.states.get(instance_id)
        return dict(found) if found else None

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        self.states[instance_id] = dict(state)


def store_over(instances: MemoryStore) -> InMemoryStateStore:
    """A store in memory that does what these do."""
    store = InMemoryStateStore()
    store.instances = instances
    return store
