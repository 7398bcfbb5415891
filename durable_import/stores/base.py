"""What a store is: the small interface that a user implements, and what more a store can do.

A *state* is a flat dict (``STATE_TYPES``): ``status`` (one of ``STATUSES``), ``checkpoint`` (int), ``location``
('file:line function'; before the first checkpoint empty, or which life of the instance began last), ``function`` (str),
``wake_at`` (when an instance that waits is to go on even if nothing happens, in seconds since 1970, or None) and three kinds of
bytes, sealed before the store sees them: ``call`` (the function and its arguments; never changes), ``snapshot`` (empty before
the first checkpoint), ``outcome`` (the result or exception; empty before the end).
"""

from __future__ import annotations

import builtins
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

from durable_import.errors import FencedError
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner
from durable_import.stores.state import (
    ABANDONED,
    ANNOUNCED,
    DORMANT,
    FINISHED,
    STATUSES,
    Event,
    InstanceSummary,
    PastState,
)
from durable_import.stores.state import fenced as refusal_of
from durable_import.stores.store import Store

__all__ = [
    "ABANDONED", "ANNOUNCED", "DORMANT", "FINISHED", "MIN_ID_AGE", "STATE_TYPES", "STATUSES", "Claim", "DistinctEventStore",
    "Event", "EventStore", "FullStateStore", "HistoryStore", "InstanceSummary", "KeyedStore", "LifeStore", "OwningStore",
    "PastState", "QuickStore", "SegmentStore", "SourceStore", "StateStore", "Transaction", "TransactionStore", "WatchedStore",
    "WorkStore", "check_state", "fenced", "is_state", "keeps_history", "life_store", "quick_store", "summary_of",
]  # fmt: skip

STATE_TYPES: dict[str, type | tuple[type, ...]] = {
    "status": str, "checkpoint": int, "location": str, "function": str, "wake_at": (float, type(None)), "call": bytes,
    "snapshot": bytes, "outcome": bytes,
}  # fmt: skip
MIN_ID_AGE = 24 * 3600.0  # seconds for which the ids of events are remembered at least


class StateStore(ABC):
    """Keeps the last state of each instance. Implement these two methods to bring a store of your own."""

    @abstractmethod
    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """The state last saved, or None."""

    @abstractmethod
    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """Keep ``state`` in place of the one before; when this returns, it must survive a crash."""


class FullStateStore(StateStore):
    """One that can do more: ``instances`` is what the rest of the package uses of it."""

    instances: Store

    @abstractmethod
    async def close(self) -> None:
        """Let go of files and threads; the next use opens the store again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to commit to an instance until a later claim exists; ``state`` is the one found then."""

    instance_id: str
    epoch: int
    state: dict[str, Any] | None = None


class OwningStore(StateStore):
    """A store that several processes may open: one owner per instance, and each commit checks that it still is the one.

    A claim's epoch is higher than every epoch this store gave before, also after ``delete``.
    All methods may raise StoreUnavailableError.
    """

    @abstractmethod
    async def acquire(self, instance_id: str, owner: Owner, lease_seconds: float = DEFAULT_LEASE_SECONDS) -> Claim:
        """Become the owner. Raises InstanceBusyError while another one that may be alive holds an unexpired lease.

        An owner whose process is dead is taken over at once. The same ``owner`` may acquire again: its earlier claim is
        fenced.
        """

    @abstractmethod
    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        """Keep ``state`` if ``claim`` is current, else raise FencedError and change nothing.

        A commit whose awaiting task is cancelled still happens.
        """

    @abstractmethod
    async def renew(self, claims: Iterable[Claim], lease_seconds: float = DEFAULT_LEASE_SECONDS) -> builtins.list[Claim]:
        """Let the leases run for ``lease_seconds`` from now; gives the claims that are not current any more."""

    @abstractmethod
    async def release(self, claim: Claim) -> None:
        """Give the instance up; nothing happens if the claim is not current."""

    @abstractmethod
    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """Acquire, commit and release in one step; raises InstanceBusyError like ``acquire``."""

    @abstractmethod
    async def delete(self, instance_id: str) -> None:
        """Forget the instance, no matter who owns it; its owner's next commit is refused."""

    @abstractmethod
    async def list(self) -> builtins.list[InstanceSummary]:
        """All instances that have a state, the most recently committed first."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of files and threads; the next use opens the store again."""


@runtime_checkable
class SegmentStore(Protocol):
    """Optional: keeps parts of a snapshot under names of their own, so that only what has changed is written."""

    async def commit_segments(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], *, is_whole: bool
    ) -> None:
        """As ``commit``, and in the same transaction: put these segments, remove those that are None.

        ``is_whole``: remove all others. A plain ``commit`` removes all.
        """
        ...

    async def load_segments(self, instance_id: str) -> dict[str, bytes]:
        """The segments of the last state."""
        ...


@runtime_checkable
class QuickStore(Protocol):
    """Optional: commits without giving way to the event loop when that takes less time than to come back to it."""

    def commit_at_once(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None] | None = None, is_whole: bool = True
    ) -> bool:
        """As ``commit``, or with ``segments`` as ``SegmentStore.commit_segments``, if that is quick. False: it was not done,
        and is to be asked for by those, which also tell what is wrong."""
        ...


@runtime_checkable
class EventStore(Protocol):
    """Optional: keeps events until the instance has them in its own state, also for an instance that does not exist yet.

    ``delete`` of an instance removes its events.
    """

    async def publish_event(self, instance_id: str, name: str, payload: bytes) -> int:
        """Keep an event; when this returns, it must survive a crash. Gives its number, higher than all before."""
        ...

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        """The events of an instance, in the order in which they were published."""
        ...

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        """Forget events; nothing happens for those that are gone already."""
        ...

    async def addressees(self) -> builtins.list[str]:
        """Ids of the instances that have events here."""
        ...


@runtime_checkable
class DistinctEventStore(Protocol):
    """Optional, for an EventStore: drops the second of two events with one id, so that an instance which is resumed in the
    middle of sending one does not send it twice.

    An id is remembered when its event is gone, until ``remove_finished`` forgets those that are old: ``MIN_ID_AGE``, or the
    seconds that it is given if these are more.
    """

    async def publish_once(self, instance_id: str, name: str, payload: bytes, event_id: str) -> bool:
        """As ``publish_event``, unless an event with this id was published before, to whomever; gives whether it was kept."""
        ...

    async def was_published(self, event_id: str) -> bool:
        """Whether an event with this id was published."""
        ...


@runtime_checkable
class WorkStore(Protocol):
    """Optional: finds the instances that somebody should take up, and clears away the ones that have ended."""

    async def find_work(self, limit: int, *, orphans: bool) -> builtins.list[str]:
        """Ids of instances that have not finished, that nobody owns, and that have something to do.

        That is: waiting or sleeping with ``wake_at`` in the past, or with an event; with ``orphans`` also pending and running
        ones. Nobody owns an instance whose lease has run out, or whose owner's process is certainly dead. Those that wait
        longest come first.
        """
        ...

    async def remove_finished(self, seconds: float) -> int:
        """Delete what has been finished for so long and nobody owns; gives how many."""
        ...


@runtime_checkable
class WatchedStore(Protocol):
    """Optional: tells when to look for events and work, so that nobody has to ask often."""

    async def wait_for_change(self, timeout: float) -> None:
        """Returns when an event was published or an instance was committed as pending or finished, no matter by whom, since the
        last call returned; at the latest after ``timeout`` seconds. It may also return for no reason."""
        ...


class Transaction(Protocol):
    """A transaction in the store's database, for data of the user that a state is to be committed together with.

    It ends with ``commit`` or ``rollback``; both leave ``connection`` closed. If the connection itself has ended it
    (``COMMIT``, ``connection.commit()``), ``commit`` raises StoreError.
    """

    @property
    def connection(self) -> Any:
        """The driver's connection, in the transaction; for the running event loop and its thread."""
        ...

    async def commit(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None] | None = None, is_whole: bool = True
    ) -> None:
        """As ``SegmentStore.commit_segments``, together with what was done by the connection: both happen, or neither.

        Nothing has happened if it raises, with one exception: after a StoreUnavailableError because the connection
        broke, look at the state that the store has. A commit whose awaiting task is cancelled still happens.
        """
        ...

    async def rollback(self) -> None:
        """Undo what was done by the connection; nothing happens if the transaction has ended."""
        ...


@runtime_checkable
class TransactionStore(Protocol):
    """Optional: commits data of the user together with a state, where both live in one database."""

    async def begin_transaction(self) -> Transaction:
        """A new transaction. Others may have to wait while it is open: keep it short."""
        ...


@runtime_checkable
class HistoryStore(Protocol):
    """Optional: keeps the states before the last one too, if ``keeps_history``. Snapshots are then never in segments.

    ``delete`` of an instance removes them.
    """

    keeps_history: bool

    async def load_history(self, instance_id: str) -> builtins.list[dict[str, Any]]:
        """The last state of each checkpoint number as ``load`` gave it then, oldest first; the present one is the last."""
        ...


@runtime_checkable
class LifeStore(Protocol):
    """Optional, for one that is an EventStore too: begins and ends the life of an instance in a process by one step each."""

    async def begin(
        self, instance_id: str, owner: Owner, lease_seconds: float, new: dict[str, Any] | None
    ) -> tuple[Claim, builtins.list[Event]]:
        """As ``acquire``; if the instance has no state, as ``commit`` of ``new``; and as ``load_events``.

        The state in the claim is the one found before. Raises InstanceBusyError like ``acquire``.
        """
        ...

    async def end(self, claim: Claim, state: dict[str, Any], *, keeps: bool) -> None:
        """As ``commit``, and in the same transaction as ``release`` and as ``remove_events`` of all events.

        ``keeps``: the segments and the events stay. Nothing has happened if it raises.
        """
        ...


@runtime_checkable
class SourceStore(Protocol):
    """Optional: keeps source texts of functions, each once, so that a change of code can be shown."""

    async def save_source(self, digest: str, text: str) -> None: ...

    async def load_source(self, digest: str) -> str | None: ...


@runtime_checkable
class KeyedStore(Protocol):
    """Optional: an embedded store that brings the key its snapshots are authenticated with."""

    def key(self) -> bytes: ...


def quick_store(store: StateStore) -> QuickStore | None:
    """The store, if it is a QuickStore."""
    is_one = _is_shortcut(store, "commit_at_once", {"commit", "commit_segments"})
    return cast(QuickStore, store) if is_one else None


def life_store(store: StateStore) -> LifeStore | None:
    """The store, if it is a LifeStore."""
    is_one = _is_shortcut(store, "begin", {"acquire", "commit", "load_events"}) and _is_shortcut(
        store, "end", {"commit", "commit_segments", "remove_events", "release"}
    )
    return cast(LifeStore, store) if is_one else None


def _is_shortcut(store: StateStore, name: str, methods: set[str]) -> bool:
    """Whether a store has a method that does what others do, which no derived class, nor an attribute, has changed since."""
    for names in (getattr(store, "__dict__", {}), *(kind.__dict__ for kind in type(store).__mro__)):
        if name in names:
            return True
        if not methods.isdisjoint(names):
            return False
    return False


def keeps_history(store: StateStore) -> bool:
    """Whether a store was asked to keep earlier states."""
    return bool(getattr(store, "keeps_history", False)) and isinstance(store, HistoryStore)


_USUAL = [[*zip(STATE_TYPES, (str, int, str, str, wake_at, bytes, bytes, bytes), strict=True)] for wake_at in (type(None), float)]


def check_state(state: dict[str, Any]) -> None:
    """Raise TypeError for what is not a state: a key that no column holds would be dropped silently."""
    if [*zip(state, map(type, state.values()), strict=True)] in _USUAL:
        return
    if state.keys() != STATE_TYPES.keys():
        raise TypeError(f"a state has exactly the keys {sorted(STATE_TYPES)}, not {sorted(map(str, state))}")
    for key, kind in STATE_TYPES.items():
        if not isinstance(state[key], kind):
            raise TypeError(f"a state's {key!r} is {_name(kind)}, not {_name(type(state[key]))}")


def is_state(state: dict[str, Any]) -> bool:
    """Whether ``check_state`` would accept it."""
    return state.keys() == STATE_TYPES.keys() and all(isinstance(state[key], kind) for key, kind in STATE_TYPES.items())


def summary_of(instance_id: str, state: dict[str, Any], updated_at: float, lease: Lease | None) -> InstanceSummary:
    """The facts of one instance, for stores that have its state at hand. What is not a state has blank ones."""

    def fact(key: str, blank: Any) -> Any:
        value = state.get(key)
        return value if isinstance(value, STATE_TYPES[key]) else blank

    return InstanceSummary(
        instance_id=instance_id,
        status=fact("status", ""),
        checkpoint=fact("checkpoint", 0),
        location=fact("location", ""),
        function=fact("function", ""),
        wake_at=fact("wake_at", None),
        updated_at=updated_at,
        owner=lease.owner if lease else None,
        lease_until=lease.until if lease else None,
    )


def _name(kind: type | tuple[type, ...]) -> str:
    if isinstance(kind, tuple):
        return " or ".join(map(_name, kind))
    return "None" if kind is type(None) else f"{'an' if kind.__name__[0] in 'aeio' else 'a'} {kind.__name__}"


def fenced(claim: Claim) -> FencedError:
    """The error for a claim that is not current."""
    return refusal_of(claim.instance_id, claim.epoch)
