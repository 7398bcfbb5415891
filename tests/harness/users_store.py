"""A store as a user writes it."""

from __future__ import annotations

from typing import Any

from durable_import.stores.base import StateStore


class UsersStore(StateStore):
    """The least that a user implements."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        found = self.states.get(instance_id)
        return dict(found) if found else None

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        self.states[instance_id] = dict(state)
