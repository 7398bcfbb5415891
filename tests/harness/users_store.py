"""Stores as users write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from durable_import.stores.base import Claim, Event, StateStore, check_state
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.owner import Owner


class UsersStore(StateStore):
    """The least that a user implements."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        found = self.states.get(instance_id)
        return dict(found) if found else None

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        self.states[instance_id] = dict(state)


class HastyStore(InMemoryStateStore):
    """Keeps segments, and does several things in one step."""

    def __init__(self) -> None:
        super().__init__()
        self.segments: dict[str, dict[str, bytes]] = {}

    def commit_at_once(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None] | None = None, is_whole: bool = True
    ) -> bool:
        check_state(state)
        self._commit(claim, dict(state))
        kept: dict[str, bytes | None] = {} if is_whole else dict(self.segments.get(claim.instance_id, {}))
        kept |= segments or {}
        self.segments[claim.instance_id] = {key: data for key, data in kept.items() if data is not None}
        return True

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        self.commit_at_once(claim, state)

    async def commit_segments(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], *, is_whole: bool
    ) -> None:
        self.commit_at_once(claim, state, segments, is_whole)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        await super().save(instance_id, state)
        self.segments.pop(instance_id, None)

    async def load_segments(self, instance_id: str) -> dict[str, bytes]:
        return dict(self.segments.get(instance_id, {}))

    async def delete(self, instance_id: str) -> None:
        self.segments.pop(instance_id, None)
        await super().delete(instance_id)

    async def begin(
        self, instance_id: str, owner: Owner, lease_seconds: float, new: dict[str, Any] | None
    ) -> tuple[Claim, list[Event]]:
        claim = await self.acquire(instance_id, owner, lease_seconds)
        if claim.state is None and new is not None:
            self.commit_at_once(claim, new)
        return claim, await self.load_events(instance_id)

    async def end(self, claim: Claim, state: dict[str, Any], *, keeps: bool) -> None:
        self.commit_at_once(claim, state, {}, not keeps)
        if not keeps:
            await self.remove_events(claim.instance_id, [each.number for each in await self.load_events(claim.instance_id)])
        await self.release(claim)
