"""The lease of this process on one instance: its claim, and its state in the store, from acquiring to releasing."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from ...errors import StoreError, StoreUnavailableError
from ...log import logger
from ...snapshot.payload import Saved
from ...snapshot.sealing.segment_seal import SegmentSeal
from ...stores.base import (
    Claim,
    Event,
    OwningStore,
    SegmentStore,
    StateStore,
    Transaction,
    keeps_history,
    life_store,
    quick_store,
)
from .checkpoint import Checkpoint
from .host import Host
from .records import Records

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0  # seconds between attempts to commit
T = TypeVar("T")


class InstanceLease:
    """See the module. ``records``: those of the instance."""

    __slots__ = (
        "_life", "_quick", "_seal", "claim", "events", "first_call", "has_lost_transaction", "host", "instance_id", "records",
        "state", "transaction",
    )  # fmt: skip

    def __init__(self, host: Host, instance_id: str, records: Records) -> None:
        self.host = host
        self.instance_id = instance_id
        self.records = records
        self.claim: Claim | None = None
        self.state: dict[str, Any] = {}  # that is kept, see ``_is_kept``; empty: there is none yet
        self.first_call = b""  # the record of it, for the first state of an instance that is not in the store yet
        self.transaction: Transaction | None = None  # of the program's data, that the next checkpoint is committed with
        self.has_lost_transaction = False  # it could not be committed: the program has to go on from before it
        self.events: list[Event] | None = None  # that the store had for it at the beginning; None: they are not loaded yet
        self._life, self._quick = life_store(host.store), quick_store(host.store)
        self._seal = SegmentSeal(host.seal, instance_id)

    async def begin(self, is_lost: Callable[[], None], new: dict[str, Any] | None) -> bool:
        """Claim the instance, if the store has owners, and load its state. ``is_lost``: called when somebody else has it.

        ``new``: what to keep if it has none; gives whether that was done, which not every store can do in one step.
        """
        host, store = self.host, self.host.store
        self.events = None
        if self._life is not None:
            self.claim, self.events = await self._life.begin(self.instance_id, host.owner, host.lease_seconds, new)
        elif isinstance(store, OwningStore):
            self.claim = await store.acquire(self.instance_id, host.owner, host.lease_seconds)
        if self.claim is not None:
            state, self.claim = self.claim.state, dataclasses.replace(self.claim, state=None)
            host.heartbeat.add(self.claim, is_lost)
        else:
            state = await store.load(self.instance_id)
        is_new = state is None and new is not None and self._life is not None
        found = new if is_new else state
        self.state = self.records.check_state(found) if found is not None else {}
        return is_new

    @property
    def begins_in_one_step(self) -> bool:
        """Whether ``begin`` keeps a new state."""
        return self._life is not None

    @property
    def keeps_segments(self) -> bool:
        """Whether a snapshot may be kept in segments."""
        store = self.host.store
        return self.claim is not None and _can_keep_segments(type(store)) and not keeps_history(store)

    async def load_snapshot(self) -> tuple[bytes, dict[str, bytes]]:
        """The payload of the snapshot in the state, and its segments."""
        store, blob = self.host.store, self.state["snapshot"]
        segments: dict[str, bytes] = {}
        if isinstance(store, SegmentStore) and self._seal.is_in_segments(blob):
            segments = await store.load_segments(self.instance_id)
        payload = self._seal.open(blob, segments)
        self.records.check_is_snapshot(payload)
        return payload, segments

    def commit_checkpoint(self, checkpoint: Checkpoint) -> Awaitable[None] | None:
        """Keep a checkpoint, and the sources of the functions that it has frames of; what is still to be awaited for that."""
        state = {
            "status": checkpoint.status,
            "checkpoint": checkpoint.number,
            "location": checkpoint.location,
            "function": checkpoint.function,
            "wake_at": checkpoint.wake_at,
            "call": self.state.get("call", self.first_call),
            "snapshot": self._seal.seal(checkpoint.saved),
            "outcome": b"",
        }
        if self.host.sources.has(checkpoint.code) and self._is_committed_at_once(state, checkpoint.saved):
            return None
        return self._commit_checkpoint(checkpoint, state)

    async def _commit_checkpoint(self, checkpoint: Checkpoint, state: dict[str, Any]) -> None:
        in_transaction = self.transaction is not None  # others who write have to wait for it, the sources too
        if not in_transaction:
            await self.host.sources.save(checkpoint.code)
        await self._commit_in_time(state, checkpoint.saved)
        if in_transaction:
            await self.host.sources.save(checkpoint.code)

    async def commit(self, state: dict[str, Any], saved: Saved | None) -> None:
        """Keep a state; while the store is unavailable, try again. ``saved``: the snapshot in it; None: there is none."""
        if not self._is_committed_at_once(state, saved):
            await self._commit_in_time(state, saved)

    def _is_committed_at_once(self, state: dict[str, Any], saved: Saved | None) -> bool:
        """Keep a state in no time, if the store can do that."""
        if self.claim is None or self.transaction is not None or self._quick is None:
            return False
        segments, is_whole = _segments_of(saved)
        if not self._quick.commit_at_once(self.claim, state, segments, is_whole):
            return False
        self._is_kept(state)
        return True

    def _is_kept(self, state: dict[str, Any]) -> None:
        """The store has a state: while it gives it to nobody else, only what is small has to be in memory too."""
        self.state = state if self.claim is None else {**state, "snapshot": b""}

    async def end(self, state: dict[str, Any], *, keeps_snapshot: bool) -> bool:
        """Keep the last state, as ``commit``, with the snapshot that is kept or without any; gives whether the instance and its
        events were let go of in the same step."""
        saved = Saved(b"", {}, is_whole=False) if keeps_snapshot else None
        if keeps_snapshot and self.claim is not None:
            state["snapshot"] = await self._in_time(state, self._kept_snapshot)
        if self.claim is None or self.transaction is not None or self._life is None:
            await self.commit(state, saved)
            return False
        await self._in_time(state, functools.partial(self._life.end, self.claim, state, keeps=keeps_snapshot))
        self.host.heartbeat.remove(self.claim)
        self.claim, self.state = None, state
        return True

    async def _kept_snapshot(self) -> Any:
        state = await self.host.store.load(self.instance_id)
        return state["snapshot"] if state is not None else b""  # somebody has removed it: the commit will be refused

    async def _commit_in_time(self, state: dict[str, Any], saved: Saved | None) -> None:
        if self.transaction is not None:
            await self._commit_transaction(state, saved)
            return
        await self._in_time(state, functools.partial(self.commit_or_raise, state, saved))

    async def _in_time(self, state: dict[str, Any], keep: Callable[[], Awaitable[T]]) -> T:
        """While the store is unavailable, try again."""
        waited, pause = 0.0, FIRST_PAUSE
        while True:
            try:
                return await keep()
            except (StoreUnavailableError, OSError) as error:
                if self.host.patience is not None and waited >= self.host.patience:
                    raise
                logger.warning(
                    "checkpoint %s of instance %s is not kept yet, next attempt in %.1f s: %s",
                    state["checkpoint"],
                    self.instance_id,
                    pause,
                    error,
                    extra=self.about(),
                )
            await asyncio.sleep(pause)
            waited, pause = waited + pause, min(pause * 2, LONGEST_PAUSE)

    async def _commit_transaction(self, state: dict[str, Any], saved: Saved | None) -> None:
        """Commit with the program's data, or neither."""
        transaction, self.transaction = self.transaction, None
        assert transaction is not None
        assert self.claim is not None
        segments, is_whole = _segments_of(saved)
        try:
            await transaction.commit(self.claim, state, segments, is_whole)
        except (StoreUnavailableError, OSError):
            self.has_lost_transaction = True
            raise
        self._is_kept(state)

    async def commit_or_raise(self, state: dict[str, Any], saved: Saved | None) -> None:
        """Keep a state, or raise what keeps the store from that."""
        store = self.host.store
        if self.claim is None:
            await store.save(self.instance_id, state)
        elif saved is not None and saved.segments is not None and isinstance(store, SegmentStore):
            await store.commit_segments(self.claim, state, saved.segments, is_whole=saved.is_whole)
        else:
            assert isinstance(store, OwningStore)
            await store.commit(self.claim, state)
        self._is_kept(state)

    async def remove_events(self, numbers: tuple[int, ...], accepted: dict[int, str]) -> None:
        """The state has these events: the store may forget them, and then the state may forget their numbers."""
        try:
            await self.host.events.remove_events(self.instance_id, numbers)
        except StoreError as error:  # they stay accepted: the next commit tries again
            logger.debug("events of instance %s were not removed: %s", self.instance_id, error, extra=self.about())
            return
        for number in numbers:
            accepted.pop(number, None)

    async def release(self) -> None:
        """Undo a transaction that is open, and let go of the instance."""
        if self.transaction is not None:
            transaction, self.transaction = self.transaction, None
            await transaction.rollback()
        if self.claim is not None and isinstance(self.host.store, OwningStore):
            self.host.heartbeat.remove(self.claim)
            try:
                await self.host.store.release(self.claim)
            except StoreError as error:  # the lease ends by itself; what matters is committed
                logger.warning("instance %s was not released: %s", self.instance_id, error, extra=self.about())

    def about(self) -> dict[str, Any]:
        """What a record of the log says of the instance."""
        return self.host.about(self.instance_id, self.state.get("checkpoint"))


@functools.cache
def _can_keep_segments(kind: type[StateStore]) -> bool:
    """Whether stores of a class are SegmentStores: to find out takes longer than most of what is done once for an instance."""
    return issubclass(kind, SegmentStore)


def _segments_of(saved: Saved | None) -> tuple[Mapping[str, bytes | None] | None, bool]:
    """What is to be done about the segments in the store, and whether that are all."""
    return (saved.segments, saved.is_whole) if saved is not None else (None, True)
