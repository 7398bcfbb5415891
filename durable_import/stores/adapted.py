"""One of the stores that users implement (``base``), as what the rest of the package needs (``store``).

What such a store cannot do is done in the memory of this process, or is an error that says so. A state is a flat dict there,
which only this module knows.
"""

from __future__ import annotations

import asyncio
import builtins
import math
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from durable_import.errors import (
    DurableError,
    InstanceStuckError,
    OwnershipError,
    SnapshotAuthenticationError,
    StoreError,
    StoreUnavailableError,
)
from durable_import.log import about, logger
from durable_import.stores import base
from durable_import.stores.base import (
    DistinctEventStore,
    EventStore,
    HistoryStore,
    LifeStore,
    OwningStore,
    QuickStore,
    SegmentStore,
    SourceStore,
    StateStore,
    Transaction,
    TransactionStore,
    WatchedStore,
    WorkStore,
    check_state,
    life_store,
    quick_store,
)
from durable_import.stores.listing import page_of
from durable_import.stores.memory_events import MemoryEvents
from durable_import.stores.memory_failures import MemoryFailures
from durable_import.stores.owner import Owner
from durable_import.stores.state import (
    DORMANT,
    NO_ORIGIN,
    STUCK,
    Claim,
    Event,
    Failure,
    HoldRecord,
    InstanceQuery,
    InstanceState,
    InstanceSummary,
    Origin,
    OwnerRow,
    Page,
    owner_lost,
)
from durable_import.stores.store import Begun, Committing, History, Kept, OpenTransaction, Segments, Transactions
from durable_import.stores.suspects import ALONE_FROM

T = TypeVar("T")


@dataclass(slots=True)
class _Registered:
    """An owner, in this process's memory, and what it has."""

    who: Owner
    lease: float
    until: float
    beat: int = 0
    is_dead: bool = False
    claims: dict[str, Claim] = field(default_factory=dict)
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)  # made beforehand, for the keeper's thread

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)


class AdaptedStore:
    """``store`` as a ``Store``."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._owning = store if isinstance(store, OwningStore) else None
        self._segments = store if isinstance(store, SegmentStore) else None
        self._work = store if isinstance(store, WorkStore) else None
        self._watched = store if isinstance(store, WatchedStore) else None
        self._sources = store if isinstance(store, SourceStore) else None
        self._events: EventStore = store if isinstance(store, EventStore) else MemoryEvents()
        self._life: LifeStore | None = None
        self._quick: QuickStore | None = None
        self._owners: dict[int, _Registered] = {}
        self._beginning: Counter[str] = Counter()  # of the instances that are being begun
        self._owner_of: dict[Claim, _Registered] = {}
        self._calls: dict[Claim, bytes] = {}  # of the instances that are owned here
        # of a store that finds no work: those that are owned here and wait, and those that have left the memory; until when
        self._waiting: dict[str, float] = {}
        self._resting: dict[str, float] = {}
        self._failures = MemoryFailures()
        self._retried: set[str] = set()  # that have failed, and are to be tried again
        self.history: History | None = None
        if isinstance(store, HistoryStore) and store.keeps_history:
            self.history = _AdaptedHistory(store)
        self.transactions: Transactions | None = None
        if isinstance(store, TransactionStore):
            self.transactions = _AdaptedTransactions(store, self)
        self.keeps_segments = self._owning is not None and self._segments is not None and self.history is None

    def __repr__(self) -> str:
        return repr(self._store)

    # --- who owns instances

    def register(self, who: Owner, lease: float) -> int:
        """See ``Store``; as for all methods below."""
        number = int(who.session or "0", 16)
        if number not in self._owners:
            self._owners[number] = _Registered(who, lease, time.time() + lease)
        return number

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        found = self._owners.get(owner)
        if found is None or found.is_dead or found.beat != old:
            return False
        if self._owning is not None and found.claims:  # those that are lost are told so when they commit
            found.call(self._owning.renew([_held(claim) for claim in list(found.claims.values())], lease))
        found.beat, found.lease, found.until = new, lease, time.time() + lease
        return True

    def owners(self) -> builtins.list[OwnerRow]:
        found = list(self._owners.items())
        return [OwnerRow(number, each.who, each.beat, each.lease, each.until, each.is_dead) for number, each in found]

    def bury(self, owner: int, beat: int, limit: int) -> int:
        found = self._owners.get(owner)
        if found is None or not (found.is_dead or found.beat == beat):
            return 0
        found.is_dead = True
        freed = list(found.claims.values())[:limit]
        if freed:
            asyncio.run(self._free(freed))  # the loop is that of the owner's thread, should it come back
        if len(freed) < limit:
            self._owners.pop(owner, None)
        return len(freed)

    def retire(self, owner: int) -> None:
        found = self._owners.pop(owner, None)
        if found is not None:
            found.call(self._free(list(found.claims.values())))
            found.loop.close()

    async def _free(self, claims: Iterable[Claim]) -> None:
        for claim in claims:
            await self.release(claim)

    # --- the life of an instance

    async def begin(
        self,
        instance_id: str,
        owner: int,
        epoch: int,  # noqa: ARG002  the store gives its own
        new: InstanceState | None,
        call: bytes,
        origin: Origin = NO_ORIGIN,  # noqa: ARG002  there are no lists to be found in
    ) -> Begun:
        registered = self._owners.get(owner)
        if registered is None or registered.is_dead:
            raise owner_lost(owner)
        self._beginning[instance_id] += 1
        try:
            return await self._begin(instance_id, registered, new, call)
        finally:
            self._beginning[instance_id] -= 1
            if not self._beginning[instance_id]:
                del self._beginning[instance_id]

    async def _begin(self, instance_id: str, registered: _Registered, new: InstanceState | None, call: bytes) -> Begun:
        who, lease_seconds = registered.who, registered.lease
        # each time: a test may have put something in the place of the store's methods
        self._life, self._quick = life_store(self._store), quick_store(self._store)
        failure = self._failures.check(instance_id)
        kept, events = to_dict(new, call) if new is not None else None, None
        if self._life is not None:
            held, events = await self._life.begin(instance_id, who, lease_seconds, kept)
        elif self._owning is not None:
            held = await self._owning.acquire(instance_id, who, lease_seconds)
        else:
            held = base.Claim(instance_id, 0, await self._store.load(instance_id))
        claim, found = Claim(instance_id, held.epoch), held.state
        if instance_id in self._resting:
            self._waiting[instance_id] = self._resting.pop(instance_id)
        if found is not None:
            state, call = from_dict(instance_id, found)
        elif kept is not None and self._life is None:
            await self._commit(claim, kept, None, True)
        self._calls[claim] = call
        self._owner_of[claim], registered.claims[instance_id] = registered, claim
        is_new = found is None and new is not None
        attempts, error = (failure.attempts, failure.error) if failure is not None else (0, None)
        if instance_id in self._retried:
            error = ""
        return Begun(claim, state if found is not None else new, call, is_new, events, None, attempts, error)

    async def claim(
        self,
        owner: int,
        epoch: int,
        room: int,
        queues: Sequence[str] = ("",),  # noqa: ARG002  all are in one
        *,
        orphans: bool = True,
        alone_from: int = ALONE_FROM,  # noqa: ARG002  deaths are not counted
        is_again: bool = False,  # noqa: ARG002
    ) -> builtins.list[Begun]:
        taken = list[Begun]()
        for name in await self._find_work(room, orphans=orphans):
            if name in self._beginning or any(name in each.claims for each in self._owners.values()):
                continue  # somebody here was faster
            try:
                taken.append(await self.begin(name, owner, epoch, None, b""))
            except (OwnershipError, InstanceStuckError):
                continue  # somebody was faster
            except DurableError as error:  # the others go on
                logger.error("instance %s cannot go on: %s", name, error, extra=about(name))
                last = self._failures.last(name)
                is_hopeless = isinstance(error, SnapshotAuthenticationError)
                self._failures.add(name, Failure(str(error), last.attempts + 1 if last is not None else 1, is_hopeless))
        return taken

    async def _find_work(self, limit: int, *, orphans: bool) -> builtins.list[str]:
        again = [*self._failures.due(), *self._retried]
        if self._work is not None:
            found = await self._work.find_work(limit + len(self._failures), orphans=orphans)
            return list(dict.fromkeys([*self._failures.without(found), *again]))[:limit]
        if orphans:
            raise self._cannot("look for unfinished instances: run each by its id, or use a store that is a WorkStore")
        now, addressees = time.time(), set(await self._events.addressees())
        due = [name for name, until in self._resting.items() if until <= now or name in addressees]
        due = self._failures.without(sorted(due, key=self._resting.__getitem__))
        return list(dict.fromkeys([*due, *again]))[:limit]

    def commit(
        self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
    ) -> Awaitable[None] | None:
        kept = self.to_dict(claim, state)
        if self._quick is not None and self._quick.commit_at_once(_held(claim), kept, segments, is_whole):
            return None
        return Committing(partial(self._commit, claim, kept, segments, is_whole))

    async def _commit(self, claim: Claim, kept: dict[str, Any], segments: Segments | None, is_whole: bool) -> None:
        if self._owning is None:
            await self._store.save(claim.instance_id, kept)
        elif segments is not None and self._segments is not None:
            await self._segments.commit_segments(_held(claim), kept, segments, is_whole=is_whole)
        else:
            await self._owning.commit(_held(claim), kept)

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        if keeps:
            found = await self._store.load(claim.instance_id)  # None: somebody has removed it, and the commit will be refused
            snapshot = found["snapshot"] if found is not None else b""
            state = state._replace(snapshot=snapshot)
        kept = self.to_dict(claim, state)
        if self._life is not None:
            await self._life.end(_held(claim), kept, keeps=keeps)
            self._forget(claim)
            return
        await self._commit(claim, kept, {} if keeps else None, not keeps)
        try:
            if not keeps:
                events = await self._events.load_events(claim.instance_id)
                await self._events.remove_events(claim.instance_id, [event.number for event in events])
            await self.release(claim)
        except StoreError as error:  # the lease ends by itself; what matters is committed
            logger.warning(
                "instance %s has ended, and was not let go of: %s", claim.instance_id, error, extra=about(claim.instance_id)
            )

    async def release(
        self,
        claim: Claim,
        *,
        has_lived: bool = True,  # noqa: ARG002  lives are not counted
        failure: Failure | None = None,
    ) -> None:
        self._forget(claim)
        if failure is not None:
            self._failures.add(claim.instance_id, failure)
        if claim.instance_id in self._waiting:
            self._resting[claim.instance_id] = self._waiting.pop(claim.instance_id)
        if self._owning is not None:
            await self._owning.release(_held(claim))

    def _forget(self, claim: Claim) -> None:
        self._calls.pop(claim, None)
        owner = self._owner_of.pop(claim, None)
        if owner is not None and owner.claims.get(claim.instance_id) == claim:
            del owner.claims[claim.instance_id]

    async def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        """Others do not see it."""

    async def retry(self, instance_id: str) -> bool:
        if self._failures.forget(instance_id):
            self._retried.add(instance_id)
            return True
        kept = await self.load(instance_id)
        if kept is None or kept.state.status != "failed":
            return False
        self._retried.add(instance_id)
        return True

    async def hasten(self) -> None:
        self._failures.hasten()

    async def delete(self, instance_id: str) -> None:
        if self._owning is None:
            raise self._cannot("delete instances")
        await self._owning.delete(instance_id)

    # --- looking

    async def load(self, instance_id: str) -> Kept | None:
        found = await self._store.load(instance_id)
        return from_dict(instance_id, found) if found is not None else None

    async def load_segments(self, instance_id: str) -> dict[str, bytes]:
        return await self._segments.load_segments(instance_id) if self._segments is not None else {}

    async def summary(self, instance_id: str) -> InstanceSummary | None:
        found = await self.load(instance_id)
        if found is None:
            return None
        status, checkpoint, location, function, wake_at, _, _ = found.state
        summary = InstanceSummary(instance_id, status, checkpoint, location, function, wake_at, 0.0, None, None)
        return self._with_failure(summary)

    def _with_failure(self, summary: InstanceSummary) -> InstanceSummary:
        failure = self._failures.last(summary.instance_id)
        if failure is None:
            return replace(summary, error="") if summary.instance_id in self._retried else summary
        status = STUCK if failure.is_stuck else summary.status
        return replace(summary, status=status, attempts=failure.attempts, error=failure.error)

    async def list(self, query: InstanceQuery) -> Page:
        if self._owning is None:
            raise self._cannot("list its instances")
        return page_of(map(self._with_failure, await self._owning.list()), query)

    async def remove_finished(self, seconds: float) -> int:
        return await self._work.remove_finished(seconds) if self._work is not None else 0

    # --- events

    async def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None = None) -> bool:
        if event_id is not None and isinstance(self._events, DistinctEventStore):
            return await self._events.publish_once(instance_id, name, payload, event_id)
        await self._events.publish_event(instance_id, name, payload)
        return True

    async def was_published(self, event_id: str) -> bool:
        return isinstance(self._events, DistinctEventStore) and await self._events.was_published(event_id)

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._events.load_events(instance_id)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await self._events.remove_events(instance_id, numbers)

    async def pending(self, owner: int, since: int) -> dict[str, int]:
        registered = self._owners.get(owner)
        claims = registered.claims if registered is not None else {}
        return {name: since for name in await self._events.addressees() if name in claims}

    async def wait_for_change(self, timeout: float) -> None:
        if self._watched is not None:
            await self._watched.wait_for_change(timeout)
        else:
            await asyncio.sleep(timeout)

    # --- beside the instances

    async def save_source(self, digest: str, text: str) -> None:
        if self._sources is not None:
            await self._sources.save_source(digest, text)

    async def load_source(self, digest: str) -> str | None:
        return await self._sources.load_source(digest) if self._sources is not None else None

    async def close(self) -> None:
        if self._owning is not None:
            await self._owning.close()

    # ---

    def to_dict(self, claim: Claim, state: InstanceState) -> dict[str, Any]:
        """A state that is to be kept of an instance that is owned here."""
        self._failures.forget(claim.instance_id)
        self._retried.discard(claim.instance_id)
        if self._work is None:
            if state.status in DORMANT:
                self._waiting[claim.instance_id] = math.inf if state.wake_at is None else state.wake_at
            else:
                self._waiting.pop(claim.instance_id, None)
        return to_dict(state, self._calls.get(claim, b""))

    def _cannot(self, what: str) -> DurableError:
        return DurableError(f"{self._store!r} cannot {what}")


class _AdaptedTransactions:
    def __init__(self, store: TransactionStore, adapted: AdaptedStore) -> None:
        self._store = store
        self._adapted = adapted

    async def begin_transaction(self) -> OpenTransaction:
        return _AdaptedTransaction(await self._store.begin_transaction(), self._adapted)


class _AdaptedTransaction:
    def __init__(self, opened: Transaction, adapted: AdaptedStore) -> None:
        self._opened = opened
        self._adapted = adapted

    keeps_lease = False

    @property
    def connection(self) -> Any:
        return self._opened.connection

    async def commit(self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True) -> None:
        await self._opened.commit(_held(claim), self._adapted.to_dict(claim, state), segments, is_whole)

    def lost(self, error: BaseException) -> StoreUnavailableError | None:
        if not getattr(self._opened.connection, "broken", False):
            return None
        return StoreUnavailableError(f"the connection of a transaction was lost: {error}")

    async def rollback(self) -> None:
        await self._opened.rollback()


class _AdaptedHistory:
    def __init__(self, store: HistoryStore) -> None:
        self._store = store

    async def load_history(self, instance_id: str) -> builtins.list[InstanceState]:
        return [from_dict(instance_id, each).state for each in await self._store.load_history(instance_id)]


def _held(claim: Claim) -> base.Claim:
    return base.Claim(claim.instance_id, claim.epoch)


def to_dict(state: InstanceState, call: bytes) -> dict[str, Any]:
    """See ``base.STATE_TYPES``; in that order."""
    return {
        "status": state.status,
        "checkpoint": state.checkpoint,
        "location": state.location,
        "function": state.function,
        "wake_at": state.wake_at,
        "call": call,
        "snapshot": state.snapshot,
        "outcome": state.outcome,
    }


def to_kept(kept: dict[str, Any]) -> Kept:
    """The opposite, of what is a state."""
    state = InstanceState(
        kept["status"], kept["checkpoint"], kept["location"], kept["function"], kept["wake_at"], kept["snapshot"], kept["outcome"]
    )
    return Kept(state, kept["call"])


def from_dict(instance_id: str, kept: dict[str, Any]) -> Kept:
    """The same. Raises SnapshotAuthenticationError for what is no state."""
    try:
        check_state(kept)
    except TypeError as error:
        raise SnapshotAuthenticationError(
            f"the saved state of instance {instance_id!r} looks tampered with: {error}. It was left as it is. Put a copy "
            "back, or start the instance afresh."
        ) from None
    return to_kept(kept)
