"""A store for tests and throw-away programs: nothing survives the process."""

from __future__ import annotations

import builtins
import itertools
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from durable_import.stores.base import Claim, InstanceSummary, OwningStore, check_state, fenced
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner


class InMemoryStateStore(OwningStore):
    """Keeps states in this process; may be used from several event loops and threads."""

    def __init__(self) -> None:
        self._states: dict[str, tuple[dict[str, Any], float]] = {}
        self._leases: dict[str, Lease] = {}
        self._sources: dict[str, str] = {}
        self._epochs = itertools.count(1)
        self._lock = threading.RLock()
        self._key = secrets.token_bytes(32)

    def key(self) -> bytes:
        """Random; as short-lived as the states."""
        return self._key

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        with self._lock:
            return self._state(instance_id)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        check_state(state)
        with self._lock:
            claim = self._acquire(instance_id, Owner.current(), DEFAULT_LEASE_SECONDS)
            self._commit(claim, state)
            del self._leases[instance_id]

    async def acquire(self, instance_id: str, owner: Owner, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> Claim:
        with self._lock:
            return self._acquire(instance_id, owner, lease_seconds)

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        check_state(state)
        with self._lock:
            self._commit(claim, state)

    async def renew(
        self, claims: Iterable[Claim], lease_seconds: float = DEFAULT_LEASE_SECONDS
    ) -> builtins.list[Claim]:
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
            self._states.pop(instance_id, None)
            self._leases.pop(instance_id, None)

    async def list(self) -> builtins.list[InstanceSummary]:
        with self._lock:
            rows = sorted(self._states.items(), key=lambda row: row[1][1], reverse=True)
            return [self._summary(instance_id, state, at) for instance_id, (state, at) in rows]

    async def close(self) -> None:
        """Nothing to let go of: the states stay."""

    async def save_source(self, digest: str, text: str) -> None:
        with self._lock:
            self._sources.setdefault(digest, text)

    async def load_source(self, digest: str) -> str | None:
        with self._lock:
            return self._sources.get(digest)

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
        self._states[claim.instance_id] = dict(state), time.time()

    def _is_current(self, claim: Claim) -> bool:
        lease = self._leases.get(claim.instance_id)
        return lease is not None and lease.epoch == claim.epoch

    def _state(self, instance_id: str) -> dict[str, Any] | None:
        found = self._states.get(instance_id)
        return dict(found[0]) if found else None

    def _summary(self, instance_id: str, state: dict[str, Any], updated_at: float) -> InstanceSummary:
        lease = self._leases.get(instance_id)
        return InstanceSummary(
            instance_id=instance_id,
            status=state["status"],
            checkpoint=state["checkpoint"],
            location=state["location"],
            function=state["function"],
            updated_at=updated_at,
            owner=lease.owner if lease else None,
            lease_until=lease.until if lease else None,
        )
