"""A store for tests and throw-away programs: nothing survives the process."""

from __future__ import annotations

import builtins
import copy
import itertools
import math
import secrets
import threading
import time
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from durable_import.errors import InstanceStuckError
from durable_import.stores.adapted import from_dict, to_dict, to_kept
from durable_import.stores.base import MIN_ID_AGE, FullStateStore, is_state
from durable_import.stores.changes import Bell, Changes
from durable_import.stores.listing import page_of
from durable_import.stores.owner import Owner, refusal
from durable_import.stores.state import (
    ABANDONED,
    ANNOUNCED,
    DORMANT,
    FINISHED,
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
    fenced,
    owner_lost,
    pause_after,
)
from durable_import.stores.store import Begun, History, Kept, Segments, Transactions
from durable_import.stores.suspects import ALONE_FROM, Suspects


class InMemoryStateStore(FullStateStore):
    """Keeps states in this process; may be used from several event loops and threads.

    ``save`` and ``load`` take any dict whose values can be copied. ``history``: keep the states before the last one too.
    """

    def __init__(self, *, history: bool = False) -> None:
        self.instances: MemoryStore = MemoryStore(history)
        self._key = secrets.token_bytes(32)

    def key(self) -> bytes:
        """Random; as short-lived as the states."""
        return self._key

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        """See ``StateStore``."""
        if instance_id in self.instances.others:
            return copy.deepcopy(self.instances.others[instance_id])
        kept = await self.instances.load(instance_id)
        return to_dict(kept.state, kept.call) if kept is not None else None

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``StateStore``. Raises InstanceBusyError while another one that may be alive owns the instance."""
        await self.instances.save(instance_id, to_kept(state) if is_state(state) else _copy(state))

    async def close(self) -> None:
        """Nothing to let go of: the states stay."""


_NOBODY = -1  # the owner of what is only saved


@dataclass(slots=True)
class _Instance:
    """``state`` is None while it is owned and was never committed; ``owner`` None when nobody owns it."""

    call: bytes
    created_at: float
    origin: Origin = NO_ORIGIN
    state: InstanceState | None = None
    updated_at: float = 0.0
    owner: int | None = None
    epoch: int = 0
    lives: int = 0  # begun since the last commit
    attempts: int = 0
    error: str | None = None
    due: float | None = None  # when what could not go on is tried again; infinite: it is stuck
    hold: HoldRecord | None = None
    past: dict[int, InstanceState] = field(default_factory=dict)  # by checkpoint

    def deaths(self) -> int:
        """Of its processes, in a row."""
        return self.attempts if self.error is None else 0


@dataclass(slots=True)
class _Owner:
    who: Owner
    since: float
    until: float
    lease: float
    beat: int = 0
    is_dead: bool = False


class MemoryStore:
    """See ``store.Store``. One lock guards it all; what has not ended and is owned by nobody has a list, so that what has ended
    costs nobody who looks for work."""

    transactions: Transactions | None = None
    keeps_segments = False

    def __init__(self, keeps_history: bool = False) -> None:
        self.history: History | None = self if keeps_history else None
        self._instances: dict[str, _Instance] = {}
        self._idle: dict[str, _Instance] = {}
        self.others: dict[str, dict[str, Any]] = {}  # dicts of the user's that are no states
        self._owners: dict[int, _Owner] = {}
        self._events: dict[str, builtins.list[tuple[Event, float]]] = {}  # each with the time of its publication
        self._event_ids: dict[str, float] = {}  # likewise
        self._event_numbers = itertools.count(1)
        self._sources: dict[str, str] = {}
        self._suspects = Suspects()
        self._change = 0
        self._changes = Changes(self._last_change, Bell(), interval=math.inf)
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return "InMemoryStateStore()"

    # --- who owns instances

    def register(self, who: Owner, lease: float) -> int:
        number, now = int(who.session or "0", 16), time.time()
        with self._lock:
            self._owners.setdefault(number, _Owner(who, now, now + lease, lease))
        return number

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        with self._lock:
            if self._is_dead(owner) or self._owners[owner].beat != old:
                return False
            found = self._owners[owner]
            found.beat, found.lease, found.until = new, lease, time.time() + lease
        return True

    def owners(self) -> builtins.list[OwnerRow]:
        with self._lock:
            return [
                OwnerRow(number, each.who, each.beat, each.lease, each.until, each.is_dead)
                for number, each in self._owners.items()
            ]

    def bury(self, owner: int, beat: int, limit: int) -> int:
        with self._lock:
            found = self._owners.get(owner)
            if found is None or not (found.is_dead or found.beat == beat):
                return 0
            found.is_dead = True
            return self._free(owner, limit, is_to_blame=True)

    def retire(self, owner: int) -> None:
        with self._lock:
            self._free(owner, None, is_to_blame=False)
            self._suspects.clear()

    def _free(self, owner: int, limit: int | None, *, is_to_blame: bool) -> int:
        """Let go of what an owner has, and forget it when that is all."""
        left = [(name, each) for name, each in self._instances.items() if each.owner == owner]
        for name, each in left[:limit]:
            each.epoch = 0
            if each.state is not None and each.state.status == "failed" and each.error is not None:
                each.due = 0.0  # it was not tried again yet
            if is_to_blame and each.state is not None and each.state.status in ABANDONED:
                each.attempts, each.error = each.attempts + 1, None
            self._let_go(name, each)
        if limit is None or len(left) < limit:
            self._owners.pop(owner, None)
        return len(left[:limit])

    def _is_dead(self, owner: int) -> bool:
        return owner not in self._owners or self._owners[owner].is_dead

    # --- the life of an instance

    async def begin(
        self, instance_id: str, owner: int, epoch: int, new: InstanceState | None, call: bytes, origin: Origin = NO_ORIGIN
    ) -> Begun:
        with self._lock:
            self._check_is_state(instance_id)
            if self._is_dead(owner):
                raise owner_lost(owner)
            return self._take(instance_id, owner, epoch, new, call, origin)

    def _take(
        self,
        instance_id: str,
        owner: int,
        epoch: int,
        new: InstanceState | None = None,
        call: bytes = b"",
        origin: Origin = NO_ORIGIN,
    ) -> Begun:
        found = self._instances.get(instance_id)
        if found is not None and found.owner not in (None, owner):
            self._check_free(instance_id, found.owner)
            if found.state is not None and found.state.status in ABANDONED:
                found.attempts, found.error = found.attempts + 1, None
        if found is not None and found.due == math.inf:
            raise InstanceStuckError(instance_id, found.error or "", found.attempts)
        lives, is_again = 0, found is not None and (found.owner, found.epoch) == (owner, epoch)  # and the answer was lost
        if found is None or found.state is None:
            found = self._instances[instance_id] = _Instance(call, time.time(), origin)
        elif is_again:
            lives = max(found.lives - 1, 0)
        else:
            lives, found.lives = found.lives, found.lives + 1
        self._idle.pop(instance_id, None)
        found.owner, found.epoch, found.due, found.hold = owner, epoch, None, None
        is_new = found.state is None and new is not None
        if is_new:
            self._put(found, new)
        is_new = is_new or (is_again and (found.state, found.call) == (new, call))
        events = [event for event, _ in self._events.get(instance_id, ())]
        claim = Claim(instance_id, epoch).after(found.attempts, found.error)
        self._suspects.add(claim)
        return Begun(claim, found.state, found.call, is_new, events, lives, found.attempts, found.error)

    async def claim(
        self,
        owner: int,
        epoch: int,
        room: int,
        queues: Sequence[str] = ("",),  # noqa: ARG002  all are in one
        *,
        orphans: bool = True,
        alone_from: int = ALONE_FROM,
        is_again: bool = False,  # noqa: ARG002  an answer is never lost
    ) -> builtins.list[Begun]:
        with self._lock:
            if self._is_dead(owner):
                raise owner_lost(owner)
            now, space, taken = time.time(), self._suspects.room(alone_from), list[Begun]()
            since = {name: self._idle_since(name, each, now, orphans) for name, each in self._idle.items()}
            found = [(self._idle[name].deaths(), moment, name) for name, moment in since.items() if moment is not None]
            for deaths, _, name in sorted(found):
                if len(taken) < room and space.takes(deaths):
                    taken.append(self._take(name, owner, epoch, None, b""))
        return taken

    def commit(
        self,
        claim: Claim,
        state: InstanceState,
        segments: Segments | None = None,  # noqa: ARG002  it keeps none
        is_whole: bool = True,  # noqa: ARG002
    ) -> Awaitable[None] | None:
        with self._lock:
            found = self._current(claim)
            self._put(found, state)
            found.lives, found.attempts, found.error, found.hold = 0, claim.attempts_kept(), None, None
        return None

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        with self._lock:
            found = self._instances.get(claim.instance_id)
            if found is None or not _has_ended_so(found, claim, state):
                found = self._current(claim)
            if keeps and found.state is not None:
                state = state._replace(snapshot=found.state.snapshot)
            self._put(found, state)
            found.attempts, found.error = 0, None
            if not keeps:
                self._events.pop(claim.instance_id, None)
            self._let_go(claim.instance_id, found)

    async def release(self, claim: Claim, *, has_lived: bool = True, failure: Failure | None = None) -> None:
        with self._lock:
            found = self._instances.get(claim.instance_id)
            if found is None or found.owner is None or found.epoch != claim.epoch:
                return
            found.lives -= not has_lived
            if failure is not None:
                found.attempts, found.error = failure.attempts, failure.error
                found.due = math.inf if failure.is_stuck else time.time() + pause_after(failure.attempts)
            elif found.state is not None and found.state.status == "failed" and found.error is not None:
                found.due = 0.0  # it was not tried again yet
            self._let_go(claim.instance_id, found)

    async def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        with self._lock:
            found = self._instances.get(claim.instance_id)
            is_current = found is not None and found.owner is not None and found.epoch == claim.epoch
            if found is not None and is_current and found.state is not None and found.state.checkpoint == checkpoint:
                found.hold = hold

    async def retry(self, instance_id: str) -> bool:
        with self._lock:
            found = self._instances.get(instance_id)
            if found is None or found.state is None or found.owner is not None:
                return False
            if found.due is None and found.state.status != "failed":
                return False
            found.due, found.attempts = 0.0, 0
            found.error = "" if found.state.status == "failed" else None
            self._idle[instance_id] = found
            self._announce()
            return True

    async def hasten(self) -> None:
        with self._lock:
            for instance in self._idle.values():
                if instance.due is not None and instance.due != math.inf:
                    instance.due = 0.0

    async def delete(self, instance_id: str) -> None:
        with self._lock:
            self._delete(instance_id)

    async def save(self, instance_id: str, kept: Kept | dict[str, Any]) -> None:
        """Begin, commit and release in one step; another call takes the place of the one before. A dict is no state: it takes the
        place of the instance.

        Raises InstanceBusyError as ``begin``.
        """
        with self._lock:
            self._take(instance_id, _NOBODY, 0)
            found = self._instances[instance_id]
            if isinstance(kept, Kept):
                self.others.pop(instance_id, None)
                found.call = kept.call
                self._put(found, kept.state)
            else:
                self.others[instance_id] = kept
                found.state = None
            self._let_go(instance_id, found)

    def _current(self, claim: Claim) -> _Instance:
        found = self._instances.get(claim.instance_id)
        if found is None or found.owner is None or found.epoch != claim.epoch:
            raise fenced(claim.instance_id, claim.epoch)
        return found

    def _put(self, instance: _Instance, state: InstanceState | None) -> None:
        assert state is not None
        before = instance.state
        if self.history is not None and before is not None and before.checkpoint != state.checkpoint:
            instance.past[before.checkpoint] = before
        instance.state, instance.updated_at = state, time.time()
        if state.status in ANNOUNCED:
            self._announce()

    def _let_go(self, instance_id: str, instance: _Instance) -> None:
        instance.owner = None
        self._suspects.forget(instance_id, instance.epoch)
        if instance.state is None:
            del self._instances[instance_id]
        elif instance.state.status not in FINISHED or instance.due is not None:
            self._idle[instance_id] = instance

    def _check_free(self, instance_id: str, holder: int | None) -> None:
        """Raise InstanceBusyError if nobody has taken the owner of an instance for dead."""
        if holder is not None and not self._is_dead(holder):
            found = self._owners[holder]
            raise refusal(instance_id, found.who, found.since, found.until, holder)

    def _delete(self, instance_id: str) -> None:
        for kept in (self._instances, self._idle, self._events, self.others):
            kept.pop(instance_id, None)

    # --- looking

    async def load(self, instance_id: str) -> Kept | None:
        with self._lock:
            self._check_is_state(instance_id)
            found = self._instances.get(instance_id)
            return Kept(found.state, found.call) if found is not None and found.state is not None else None

    def _check_is_state(self, instance_id: str) -> None:
        """Raise SnapshotAuthenticationError for what is none."""
        if instance_id in self.others:
            from_dict(instance_id, self.others[instance_id])

    async def load_segments(self, instance_id: str) -> dict[str, bytes]:  # noqa: ARG002  it keeps none
        return {}

    async def load_history(self, instance_id: str) -> builtins.list[InstanceState]:
        with self._lock:
            found = self._instances.get(instance_id)
            if found is None or found.state is None:
                return []
            past = {**found.past, found.state.checkpoint: found.state}
            return [past[number] for number in sorted(past)]

    async def summary(self, instance_id: str) -> InstanceSummary | None:
        with self._lock:
            found = self._instances.get(instance_id)
            return self._summary(instance_id, found) if found is not None and found.state is not None else None

    async def list(self, query: InstanceQuery) -> Page:
        with self._lock:
            found = [self._summary(name, each) for name, each in self._instances.items() if each.state is not None]
        return page_of(found, query)

    def _summary(self, instance_id: str, instance: _Instance) -> InstanceSummary:
        assert instance.state is not None
        owner = self._owners.get(instance.owner) if instance.owner is not None else None
        status, checkpoint, location, function, wake_at, _, _ = instance.state
        return InstanceSummary(
            instance_id=instance_id,
            status=STUCK if instance.due == math.inf else status,
            checkpoint=checkpoint,
            location=location,
            function=function,
            wake_at=wake_at,
            updated_at=instance.updated_at,
            owner=owner.who if owner is not None else None,
            lease_until=owner.until if owner is not None else None,
            created_at=instance.created_at,
            attempts=instance.attempts,
            error=instance.error,
            hold=instance.hold if owner is not None else None,
            parent=instance.origin.parent,
            tags=dict(instance.origin.tags),
        )

    def _idle_since(self, instance_id: str, instance: _Instance, now: float, orphans: bool) -> float | None:
        """Since when somebody could have taken the instance up; None when there is nothing to do."""
        assert instance.state is not None
        status, wake_at = instance.state.status, instance.state.wake_at
        if instance.due is not None:
            return instance.due if instance.due <= now else None
        if status in ABANDONED:
            return instance.updated_at if orphans else None
        events = self._events.get(instance_id) if status in DORMANT else None
        moments = [events[0][1]] if events else []
        if wake_at is not None and wake_at <= now and status in DORMANT:
            moments.append(wake_at)
        return min(moments, default=None)

    async def remove_finished(self, seconds: float) -> int:
        with self._lock:
            now = time.time()
            gone = [name for name, each in self._instances.items() if _has_ended(each, now - seconds)]
            for instance_id in gone:
                self._delete(instance_id)
            before = now - max(seconds, MIN_ID_AGE)
            self._event_ids = {event_id: at for event_id, at in self._event_ids.items() if at > before}
        return len(gone)

    # --- events

    async def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None = None) -> bool:
        with self._lock:
            if event_id is not None:
                if event_id in self._event_ids:
                    return False
                self._event_ids[event_id] = time.time()
            event = Event(next(self._event_numbers), name, payload)
            self._events.setdefault(instance_id, []).append((event, time.time()))
            self._announce()
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

    async def pending(self, owner: int, since: int) -> dict[str, int]:
        with self._lock:
            found = [
                (name, events[-1][0].number)
                for name, events in self._events.items()
                if name in self._instances and self._instances[name].owner == owner
            ]
        return {name: number for name, number in found if number > since}

    async def wait_for_change(self, timeout: float) -> None:
        await self._changes.wait(timeout)

    def _announce(self) -> None:
        self._change += 1
        self._changes.bell.ring()

    async def _last_change(self) -> int:
        return self._change

    # --- beside the instances

    async def save_source(self, digest: str, text: str) -> None:
        with self._lock:
            self._sources.setdefault(digest, text)

    async def load_source(self, digest: str) -> str | None:
        with self._lock:
            return self._sources.get(digest)

    async def close(self) -> None:
        """Nothing to let go of: the states stay."""


def _has_ended_so(instance: _Instance, claim: Claim, state: InstanceState) -> bool:
    """Whether the end was kept before, and only the answer was lost."""
    kept = instance.state
    if kept is None or instance.owner is not None or instance.epoch != claim.epoch:
        return False
    return (kept.status, kept.checkpoint) == (state.status, state.checkpoint)


def _has_ended(instance: _Instance, before: float) -> bool:
    """Whether nobody owns an instance that had finished by then."""
    if instance.state is None or instance.owner is not None:
        return False
    return instance.state.status in FINISHED and instance.updated_at <= before


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
