"""A store for tests and throw-away programs: nothing survives the process."""

from __future__ import annotations

import builtins
import copy
import itertools
import math
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from durable_import.stores.base import (
    ANNOUNCED,
    MIN_ID_AGE,
    Claim,
    Event,
    InstanceSummary,
    OwningStore,
    check_state,
    fenced,
    is_state,
    summary_of,
)
from durable_import.stores.changes import Bell, Changes
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner
from durable_import.stores.work import find_finished, find_work


class InMemoryStateStore(OwningStore):
    """Keeps states in this process; may be used from several event loops and threads.

    ``save`` and ``load`` take any dict whose values can be copied. ``history``: keep the states before the last one too.
    """

    def __init__(self, *, history: bool = False) -> None:
        self.keeps_history = history
        self._history: dict[str, dict[int, dict[str, Any]]] = {}
        self._states: dict[str, tuple[dict[str, Any], float]] = {}
        self._leases: dict[str, Lease] = {}
        self._sources: dict[str, str] = {}
        self._events: dict[str, builtins.list[tuple[Event, float]]] = {}
        self._event_ids: dict[str, float] = {}  # when they were published
        self._epochs = itertools.count(1)
        self._event_numbers = itertools.count(1)
        self._change = 0
        self._changes = Changes(self._last_change, Bell(), interval=math.inf)
        self._lock = threading.RLock()
        self._key = secrets.token_bytes(32)

    def key(self) -> bytes:
        """Random; as short-lived as the states."""
        return self._key

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        with self._lock:
            return self._state(instance_id)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        kept = _copy(state)
        with self._lock:
            claim = self._acquire(instance_id, Owner.current(), DEFAULT_LEASE_SECONDS)
            self._commit(claim, kept)
            del self._leases[instance_id]

    async def acquire(self, instance_id: str, owner: Owner, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> Claim:
        with self._lock:
            return self._acquire(instance_id, owner, lease_seconds)

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        check_state(state)
        with self._lock:
            self._commit(claim, dict(state))

    async def renew(self, claims: Iterable[Claim], lease_seconds: float = DEFAULT_LEASE_SECONDS) -> builtins.list[Claim]:
        lost = []
        with self._lock:
            for claim in claims:
                if self._is_current(claim):
                    lease = self._leases[claim.instance_id]
                    self._leases[claim.instance_id] = replace(lease, until=time.time() + lease_seconds)
                else:
                    lost.append(claim)
        return lost

    async def release(self, claim: Claim) -> None:
        with self._lock:
            if self._is_current(claim):
                del self._leases[claim.instance_id]

    async def delete(self, instance_id: str) -> None:
        with self._lock:
            self._delete(instance_id)

    async def list(self) -> builtins.list[InstanceSummary]:
        with self._lock:
            found = [self._summary(instance_id) for instance_id in self._states]
        return sorted(found, key=lambda each: each.updated_at, reverse=True)

    async def close(self) -> None:
        """Nothing to let go of: the states stay."""

    async def load_history(self, instance_id: str) -> builtins.list[dict[str, Any]]:
        with self._lock:
            present = self._state(instance_id)
            past = copy.deepcopy(self._history.get(instance_id, {}))
        return [past[number] for number in sorted(past)] + ([present] if present is not None else [])

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        with self._lock:
            return self._publish(instance_id, name, payload)

    async def publish_once(self, instance_id: str, name: str, payload: bytes, event_id: str) -> bool:
        with self._lock:
            if event_id in self._event_ids:
                return False
            self._event_ids[event_id] = time.time()
            self._publish(instance_id, name, payload)
            return True

    async def was_published(self, event_id: str) -> bool:
        with self._lock:
            return event_id in self._event_ids

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        with self._lock:
            return [event for event, _ in self._events.get(instance_id, ())]

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        gone = set(numbers)
        with self._lock:
            kept = [each for each in self._events.pop(instance_id, ()) if each[0].number not in gone]
            if kept:
                self._events[instance_id] = kept

    async def addressees(self) -> builtins.list[str]:
        with self._lock:
            return list(self._events)

    async def find_work(self, limit: int, *, orphans: bool) -> builtins.list[str]:
        with self._lock:
            found = [
                (self._summary(instance_id), self._events[instance_id][0][1] if instance_id in self._events else None)
                for instance_id, (state, _) in self._states.items()
                if is_state(state)
            ]
        return find_work(found, limit, orphans=orphans)

    async def remove_finished(self, seconds: float) -> int:
        with self._lock:
            found = [self._summary(instance_id) for instance_id, (state, _) in self._states.items() if is_state(state)]
            gone = find_finished(found, seconds)
            for instance_id in gone:
                self._delete(instance_id)
            before = time.time() - max(seconds, MIN_ID_AGE)
            self._event_ids = {event_id: at for event_id, at in self._event_ids.items() if at > before}
        return len(gone)

    async def wait_for_change(self, timeout: float) -> None:
        await self._changes.wait(timeout)

    async def save_source(self, digest: str, text: str) -> None:
        with self._lock:
            self._sources.setdefault(digest, text)

    async def load_source(self, digest: str) -> str | None:
        with self._lock:
            return self._sources.get(digest)

    def _publish(self, instance_id: str, name: str, payload: bytes) -> int:
        event = Event(next(self._event_numbers), name, payload)
        self._events.setdefault(instance_id, []).append((event, time.time()))
        self._announce()
        return event.number

    def _acquire(self, instance_id: str, owner: Owner, lease_seconds: float) -> Claim:
        if instance_id in self._leases:
            self._leases[instance_id].check_free(instance_id, owner)
        now = time.time()
        lease = Lease(next(self._epochs), owner, now, now + lease_seconds)
        self._leases[instance_id] = lease
        return Claim(instance_id, lease.epoch, self._state(instance_id))

    def _commit(self, claim: Claim, state: dict[str, Any]) -> None:
        if not self._is_current(claim):
            raise fenced(claim)
        before, _ = self._states.get(claim.instance_id, ({}, 0.0))
        if self.keeps_history and is_state(before) and before["checkpoint"] != state.get("checkpoint"):
            self._history.setdefault(claim.instance_id, {})[before["checkpoint"]] = before
        self._states[claim.instance_id] = state, time.time()
        if is_state(state) and state["status"] in ANNOUNCED:
            self._announce()

    def _delete(self, instance_id: str) -> None:
        self._states.pop(instance_id, None)
        self._leases.pop(instance_id, None)
        self._events.pop(instance_id, None)
        self._history.pop(instance_id, None)

    def _announce(self) -> None:
        self._change += 1
        self._changes.bell.ring()

    async def _last_change(self) -> int:
        return self._change

    def _is_current(self, claim: Claim) -> bool:
        lease = self._leases.get(claim.instance_id)
        return lease is not None and lease.epoch == claim.epoch

    def _state(self, instance_id: str) -> dict[str, Any] | None:
        found = self._states.get(instance_id)
        return copy.deepcopy(found[0]) if found else None

    def _summary(self, instance_id: str) -> InstanceSummary:
        state, updated_at = self._states[instance_id]
        return summary_of(instance_id, state, updated_at, self._leases.get(instance_id))


def _copy(state: dict[str, Any]) -> dict[str, Any]:
    """Raises TypeError that names the key of what cannot be copied."""
    copied = {}
    memo: dict[int, Any] = {}
    for key, value in state.items():
        try:
            copied[key] = copy.deepcopy(value, memo)
        except Exception as error:
            raise TypeError(f"the value of {key!r} cannot be copied, so it cannot be kept: {error}") from error
    return copied
