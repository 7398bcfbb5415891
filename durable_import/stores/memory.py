"""A store for tests and throw-away programs: nothing survives the process."""

from __future__ import annotations

import builtins
import copy
import itertools
import math
import secrets
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Concatenate, ParamSpec, TypeVar

from durable_import.stores.base import FullStateStore, is_state
from durable_import.stores.bounds import HistoryBound, bound_of
from durable_import.stores.changes import Bell, Changes
from durable_import.stores.flat import from_dict, to_dict, to_kept
from durable_import.stores.plain.row import InstanceRow, Registered
from durable_import.stores.plain.rows import Rows
from durable_import.stores.plain.store import PlainStore, own
from durable_import.stores.state import FINISHED, Claim, Event, InstanceState
from durable_import.stores.store import Kept, Segments

P = ParamSpec("P")
T = TypeVar("T")


class InMemoryStateStore(FullStateStore):
    """Keeps states in this process; may be used from several event loops and threads.

    ``save`` and ``load`` take any dict whose values can be copied. ``history``: keep the states before the last one too: True,
    how many, or for how long, as in ``"7d"``.
    """

    def __init__(self, *, history: bool | int | str = False) -> None:
        self.instances: MemoryStore = MemoryStore(bound_of(history))
        self._key = secrets.token_bytes(32)

    def key(self) -> bytes:
        """Random; as short-lived as the states."""
        return self._key

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """See ``StateStore``."""
        return await self.instances.load_dict(instance_id)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``StateStore``. Raises InstanceBusyError while another one that may be alive owns the instance."""
        await self.instances.save(instance_id, _copy(state))

    async def close(self) -> None:
        """Nothing to let go of: the states stay."""


class MemoryRows(Rows):
    """In dicts. What has not ended and is owned by nobody has one of its own, so that what has ended costs nobody who looks for
    work."""

    def __init__(self, bound: HistoryBound | None, changed: Callable[[], None]) -> None:
        super().__init__()
        self._bound = bound
        self._announce_to = changed
        self._instances: dict[str, InstanceRow] = {}
        self._idle: dict[str, InstanceRow] = {}
        self._past: dict[str, dict[int, tuple[InstanceState, float]]] = {}  # by checkpoint, each with its end
        self._others: dict[str, dict[str, Any]] = {}  # dicts of the user's that are no states
        self._registered: dict[int, Registered] = {}
        self._events: dict[str, builtins.list[tuple[Event, float]]] = {}  # each with the time of its publication
        self._event_ids: dict[str, float] = {}  # likewise
        self._event_numbers = itertools.count(1)
        self._sources: dict[str, tuple[str, float]] = {}  # each with the time when it was saved last
        self._before: dict[str, bytes] = {}

    # --- rows

    def _find(self, instance_id: str) -> InstanceRow | None:
        if instance_id in self._others:
            from_dict(instance_id, self._others[instance_id])  # raises
        return self._instances.get(instance_id)

    def _keep(self, row: InstanceRow, *, is_committed: bool = False) -> None:
        self._instances[row.instance_id] = row
        if self._bound is not None and is_committed and row.state is not None:
            self._keep_past(row.instance_id, row.state, self._bound)
        if row.owner is None and row.state is not None and (row.state.status not in FINISHED or row.due is not None):
            self._idle[row.instance_id] = row
        else:
            self._idle.pop(row.instance_id, None)

    def _keep_past(self, instance_id: str, state: InstanceState, bound: HistoryBound) -> None:
        """Each with the time when another one took its place. Of one that goes back, those are left that were before."""
        past, now, first = self._past.setdefault(instance_id, {}), time.time(), bound.first_kept(state.checkpoint - 1) or 0
        while past and next(reversed(past)) >= state.checkpoint:
            past.popitem()
        if past:
            last, (was, _) = past.popitem()
            past[last] = was, now
        past[state.checkpoint] = state, math.inf
        oldest = now - (bound.seconds or math.inf)
        while (number := next(iter(past))) < first or past[number][1] < oldest:
            del past[number]

    def _remove(self, instance_id: str) -> None:
        for kept in (self._instances, self._idle, self._past, self._others, self._before):
            kept.pop(instance_id, None)

    def _rows(self, *, owner: int | None = None, may_work: bool = False) -> Iterable[InstanceRow]:
        if may_work:
            return self._idle.values()
        if owner is not None:
            return (row for row in self._instances.values() if row.owner == owner)
        return (row for row in self._instances.values() if row.state is not None)

    def _summarised(self, instance_id: str) -> InstanceRow | None:
        return self._instances.get(instance_id)

    def _put(self, instance_id: str, state: dict[str, Any]) -> None:
        before = self._instances.get(instance_id)
        if not is_state(state):
            self._remove(instance_id)
            self._others[instance_id] = state
            return
        self._others.pop(instance_id, None)
        kept, now = to_kept(state), time.time()
        created_at = before.created_at if before is not None else now
        self._keep(InstanceRow(instance_id, kept.call, created_at, state=kept.state, updated_at=now), is_committed=True)

    def load_dict(self, instance_id: str) -> dict[str, Any] | None:
        if instance_id in self._others:
            return copy.deepcopy(self._others[instance_id])
        kept = self.load(instance_id)
        return to_dict(kept.state, kept.call) if kept is not None else None

    def note(self, instance_id: str, kept: Kept | None) -> None:
        """See ``MemoryStore.note``."""
        row = self._instances.get(instance_id)
        if kept is None:
            if row is not None and row.owner is None:
                self._remove(instance_id)
            elif row is not None:
                row.state = None  # it could not be kept, or somebody has removed it
            return
        row = row or InstanceRow(instance_id, kept.call, 0.0)
        row.call, row.state = kept.call, kept.state._replace(snapshot=b"", outcome=b"")
        self._keep(row)

    def slim(self, instance_id: str) -> None:
        """See ``MemoryStore.slim``."""
        row = self._instances.get(instance_id)
        if row is not None and row.owner is None:
            if instance_id in self._idle:
                row.call = b""
            else:
                self._remove(instance_id)

    def load_history(self, instance_id: str) -> builtins.list[InstanceState]:
        past = self._past.get(instance_id, {})
        oldest = time.time() - self._bound.seconds if self._bound is not None and self._bound.seconds is not None else -math.inf
        return [past[checkpoint][0] for checkpoint in sorted(past) if past[checkpoint][1] >= oldest]

    def _holder(self, instance_id: str) -> int | None:
        row = self._instances.get(instance_id)
        return row.owner if row is not None else None

    def _owners(self) -> dict[int, Registered]:
        return self._registered

    def _owner(self, number: int) -> Registered | None:
        return self._registered.get(number)

    def _keep_owner(self, number: int, owner: Registered | None) -> None:
        if owner is None:
            self._registered.pop(number, None)
        else:
            self._registered[number] = owner

    # --- events, and the rest

    def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None) -> bool:
        if event_id is not None:
            if event_id in self._event_ids:
                return False
            self._event_ids[event_id] = time.time()
        event = Event(next(self._event_numbers), name, payload)
        self._events.setdefault(instance_id, []).append((event, time.time()))
        self._announce()
        return True

    def was_published(self, event_id: str) -> bool:
        return event_id in self._event_ids

    def load_events(self, instance_id: str) -> builtins.list[Event]:
        return [event for event, _ in self._events.get(instance_id, ())]

    def remove_events(self, instance_id: str, numbers: Iterable[int] | None) -> None:
        found = self._events.pop(instance_id, ())
        gone = set(numbers) if numbers is not None else {event.number for event, _ in found}
        kept = [each for each in found if each[0].number not in gone]
        if kept:
            self._events[instance_id] = kept

    def _addressees(self) -> Iterable[tuple[str, int]]:
        return ((name, events[-1][0].number) for name, events in self._events.items())

    def _published(self, instance_id: str) -> float | None:
        events = self._events.get(instance_id)
        return events[0][1] if events else None

    def _forget_event_ids(self, before: float) -> None:
        self._event_ids = {event_id: at for event_id, at in self._event_ids.items() if at > before}

    def _announce(self) -> None:
        self._announce_to()

    def save_source(self, digest: str, text: str) -> None:
        self._sources[digest] = self._sources.get(digest, (text, 0.0))[0], time.time()

    def load_source(self, digest: str) -> str | None:
        return self._sources[digest][0] if digest in self._sources else None

    def _old_sources(self, before: float) -> Iterable[str]:
        return (digest for digest, (_, at) in self._sources.items() if at < before)

    def _source_name(self, digest: str) -> str:
        return digest

    def _is_needed(self, name: str) -> None:
        self._sources[name] = self._sources[name][0], time.time()

    def _remove_source(self, name: str) -> None:
        del self._sources[name]

    def _put_before(self, instance_id: str, data: bytes) -> None:
        self._before[instance_id] = data

    def load_before(self, instance_id: str) -> bytes | None:
        return self._before.get(instance_id)


class MemoryStore(PlainStore[MemoryRows]):
    """See ``store.Store``; under one lock."""

    def __init__(self, bound: HistoryBound | None = None) -> None:
        self._changed = 0
        super().__init__(MemoryRows(bound, self._announce), Changes(self._change, Bell(), math.inf), bound is not None)
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return "InMemoryStateStore()"

    def _announce(self) -> None:
        self._changed += 1
        self._changes.bell.ring()

    async def _change(self) -> int:
        return self._changed

    def _wait(self, method: Callable[Concatenate[MemoryRows, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        with self._lock:
            return own(self.rows, method)(*arguments, **keywords)

    async def _do(self, method: Callable[Concatenate[MemoryRows, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        return self._wait(method, *arguments, **keywords)

    async def _look(self, method: Callable[Concatenate[MemoryRows, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        return self._wait(method, *arguments, **keywords)

    def commit(
        self,
        claim: Claim,
        state: InstanceState,
        segments: Segments | None = None,  # noqa: ARG002  it keeps none
        is_whole: bool = True,  # noqa: ARG002
    ) -> Awaitable[None] | None:
        return self._wait(Rows.commit, claim, state)

    # --- for a store whose states are elsewhere

    def note(self, instance_id: str, kept: Kept | None) -> None:
        """What there is of an instance elsewhere; of its bytes only the call is kept here."""
        with self._lock:
            self.rows.note(instance_id, kept)

    def slim(self, instance_id: str) -> None:
        """Forget what nobody looks for in memory."""
        with self._lock:
            self.rows.slim(instance_id)

    def call_of(self, claim: Claim) -> bytes:
        """The call of an instance that is owned here. Raises FencedError."""
        with self._lock:
            return self.rows.current(claim).call

    async def keep_small(self, claim: Claim, state: InstanceState) -> None:
        """As ``commit``, without the bytes."""
        self._wait(Rows.commit, claim, state._replace(snapshot=b"", outcome=b""))

    async def close(self) -> None:
        """Nothing to let go of: the states stay."""


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
