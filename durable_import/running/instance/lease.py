"""The lease of this process on one instance: its claim, and its state in the store, from acquiring to releasing."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from ...aio.gate import OPEN, Gate
from ...errors import StoreError
from ...log import logger
from ...snapshot.payload import Saved
from ...snapshot.sealing.segment_seal import SegmentSeal
from ...snapshot.sealing.way_out import NONE_THEN, PRESERVED, StateBefore, is_preserved, own_segments, segments_before
from ...stores.state import LARGEST, NO_ORIGIN, Claim, Event, Failure, HoldRecord, InstanceState, Origin, check_size, fenced
from ...stores.store import Begun, OpenTransaction, Segments
from ...stores.suspects import Rule
from ..patience import AWAY, patiently
from .checkpoint import Checkpoint, WayOut
from .host import Host
from .records import Records

T = TypeVar("T")


class InstanceLease:
    """See the module. ``records``: those of the instance; ``origin``: that of one that is new."""

    __slots__ = (
        "_goes_back_to", "_preserved", "_seal", "asked_at", "attempts", "before", "call", "claim", "error", "events", "failure",
        "gate", "has_lost_transaction", "host", "instance_id", "lives", "origin", "records", "state", "taken", "transaction",
    )  # fmt: skip

    def __init__(self, host: Host, instance_id: str, records: Records, origin: Origin = NO_ORIGIN) -> None:
        self.host = host
        self.instance_id = instance_id
        self.records = records
        self.origin = origin
        self.claim: Claim | None = None
        self.state: InstanceState | None = None  # that is kept, without the snapshot once it is; None: there is none yet
        self.call = b""  # the record of the call that began it
        self.transaction: OpenTransaction | None = None  # of the program's data, that the next checkpoint is committed with
        self.has_lost_transaction = False  # it could not be committed: the program has to go on from before it
        self.events: list[Event] | None = None  # that the store had for it at the beginning; None: they are not loaded yet
        self.lives: int | None = None  # that began since the last commit, before this one; None: the store does not count
        self.gate: Gate = OPEN  # through which steps go
        self.taken: tuple[Begun, Gate] | None = None  # it was claimed before its life begins
        self.asked_at = math.inf  # when it was asked for, by ``time.monotonic``
        self.attempts = 0  # in which it could not go on before, since it made progress
        self.error: str | None = None  # that has ended the last of them: see ``InstanceSummary``
        self.failure: Failure | None = None  # what has kept it from going on in this life
        self.before: StateBefore | None = None  # kept while an exception is on its way out
        self._preserved: set[str] = set()  # names of its segments that have changed since
        self._goes_back_to: StateBefore | None = None
        self._seal = SegmentSeal(host.seal, instance_id)

    async def begin(self, new: InstanceState | None, call: bytes, rule: Rule | None = None) -> bool:
        """Claim the instance, and load its state.

        ``new``: what to keep if it has none; gives whether that was done. ``call``: the record of its call, if it is new.
        ``rule``: see ``Store.begin``.
        """
        check_size(self.instance_id, "the call", len(call))
        taken, self.taken = self.taken, None
        self.asked_at = time.monotonic()
        begun, self.gate = taken or await self.host.keeper.begin(self.instance_id, new, call, self.origin, rule)
        self.claim, self.call, self.events, self.lives = begun.claim, begun.call, begun.events, begun.lives
        self.host.sources.are_for(self.gate)
        self.attempts, self.error, self.failure = begun.attempts, begun.error, None
        self.before, self._preserved, self._goes_back_to = None, set(), None
        self.state = self.records.check_state(begun.state) if begun.state is not None else None
        return begun.is_new

    @property
    def keeps_segments(self) -> bool:
        """Whether a snapshot may be kept in segments."""
        return self.host.instances.keeps_segments

    def go_back(self) -> StateBefore | None:
        """Go on from what is kept of before the exception that has ended the instance; gives it, if there is that."""
        assert self.state is not None
        before = self._goes_back_to = self._seal.before_in(self.state.snapshot)
        if before is not None and not before.snapshot:
            self.state = self.state.without_snapshot()
        return before

    async def load_snapshot(self) -> tuple[bytes, dict[str, bytes]]:
        """The payload of the snapshot in the state, or in that which it goes back to, and its segments."""
        assert self.state is not None
        back, is_failed = self._goes_back_to, self.state.status == "failed"
        blob = back.snapshot if back is not None else self.state.snapshot
        segments: dict[str, bytes] = {}
        self.before = None if is_failed else self._seal.before_in(blob)
        if self._seal.is_in_segments(blob) or (self.before is not None and self._seal.is_in_segments(self.before.snapshot)):
            segments = await self.load_segments()
        self._preserved = {key[len(PRESERVED) :] for key in segments if is_preserved(key)}
        segments = own_segments(segments) if back is None else segments_before(segments)
        payload = self._seal.open(blob, segments)
        self.records.check_is_snapshot(payload)
        return payload, segments

    def commit_checkpoint(self, checkpoint: Checkpoint) -> Awaitable[None] | None:
        """Keep a checkpoint, and the sources of the functions that it has frames of; what is still to be awaited for that."""
        if checkpoint.way_out is not None:
            return self._commit_on_way_out(checkpoint, checkpoint.way_out)
        state = self._state_of(checkpoint, self._seal.seal(checkpoint.saved))
        if self.before is not None or self._preserved:
            self.before, preserved, self._preserved = None, self._preserved, set()
            checkpoint = _with_segments(checkpoint, {PRESERVED + name: None for name in preserved})
        return self._commit_checkpoint(checkpoint, state)

    def _commit_checkpoint(self, checkpoint: Checkpoint, state: InstanceState) -> Awaitable[None] | None:
        if self.host.sources.has(checkpoint.code, checkpoint.version):
            return self._commit(state, checkpoint.saved)
        return self._commit_with_sources(checkpoint, state)

    def _state_of(self, checkpoint: Checkpoint, snapshot: bytes) -> InstanceState:
        number, status, location, function, _, _, wake_at, _, _, drift, *_ = checkpoint
        wake_at = wake_at + drift if wake_at is not None and drift else wake_at
        return InstanceState(status, number, location, function, wake_at, snapshot, b"")

    async def _commit_on_way_out(self, checkpoint: Checkpoint, way_out: WayOut) -> None:
        """Keep a checkpoint, and in it the state before."""
        stale: set[str] = set()
        if way_out.begins or self.before is None:
            stale, self._preserved = self._preserved, set()
            self.before = await self._last_state()
        self.before = self.before._replace(steps=way_out.steps)
        state = self._state_of(checkpoint, self._seal.seal(checkpoint.saved, self.before))
        changes: dict[str, bytes | None] = {PRESERVED + name: None for name in stale}
        if self._seal.is_in_segments(self.before.snapshot):
            changes |= await self._preserve(checkpoint.saved, is_first=way_out.begins)
        committing = self._commit_checkpoint(_with_segments(checkpoint, changes), state)
        if committing is not None:
            await committing

    async def _last_state(self) -> StateBefore:
        """What the store has, of before this checkpoint."""
        load = functools.partial(self.host.instances.load, self.instance_id)
        kept = await self.patiently(load, "the last state is not loaded yet")
        if kept is None or not kept.state.snapshot:
            return StateBefore(b"", 0, "")
        return StateBefore(self._seal.without_before(kept.state.snapshot), kept.state.checkpoint, kept.state.location)

    async def _preserve(self, saved: Saved, *, is_first: bool) -> dict[str, bytes | None]:
        """The segments of the state before that are about to change, under the names by which they stay."""
        changed = set(saved.segments or ())
        names = None if saved.is_whole else changed - self._preserved
        if names is not None and not names:
            return {}
        load = functools.partial(self.host.instances.load_segments, self.instance_id, names)
        found = await self.patiently(load, "the last state is not loaded yet")
        if names is None:
            found = own_segments(found) if is_first else segments_before(found)
            names = {*found, *changed}
        self._preserved |= names
        return {PRESERVED + name: found.get(name, NONE_THEN) for name in names}

    async def _commit_with_sources(self, checkpoint: Checkpoint, state: InstanceState) -> None:
        in_transaction = self.transaction is not None  # others who write have to wait for it, the sources too
        save = functools.partial(self.host.sources.save, checkpoint.code, checkpoint.version)
        if not in_transaction:
            await self.patiently(save, "sources are not kept yet")
        await self.commit(state, checkpoint.saved)
        if in_transaction:
            await self.patiently(save, "sources are not kept yet")

    async def commit(self, state: InstanceState, saved: Saved | None) -> None:
        """Keep a state; while the store is unavailable, try again. ``saved``: the snapshot in it; None: there is none."""
        committing = self._commit(state, saved)
        if committing is not None:
            await committing

    def _commit(self, state: InstanceState, saved: Saved | None, *, is_measured: bool = False) -> Awaitable[None] | None:
        """The same; None: it was done at once."""
        if self.host.telemetry is not None and not is_measured:
            segments = saved.segments.values() if saved is not None and saved.segments else ()
            size = len(state.snapshot) + sum(len(data or b"") for data in segments)
            return self.host.telemetry.commit(state, size, functools.partial(self._commit, state, saved, is_measured=True))
        self._check_lives()
        if len(state.snapshot) > LARGEST or (saved is not None and saved.segments):
            self._check_size(state, saved)
        if self.transaction is not None:
            return self._commit_transaction(state, saved)
        assert self.claim is not None
        commit = functools.partial(self.host.instances.commit, self.claim, state, *_segments_of(saved))
        committing = commit()
        if committing is not None:
            return self._commit_in_time(state, commit, committing)
        self.state = state.without_snapshot()
        return None

    def _check_size(self, state: InstanceState, saved: Saved | None) -> None:
        for data in (state.snapshot, *(saved.segments.values() if saved is not None and saved.segments else ())):
            check_size(self.instance_id, "the state", len(data or b""))

    async def _commit_in_time(
        self, state: InstanceState, commit: Callable[[], Awaitable[None] | None], first: Awaitable[None]
    ) -> None:
        attempts = iter([first])  # the first one is under way

        async def keep() -> None:
            committing = next(attempts, None) or commit()
            if committing is not None:
                await committing

        await self.patiently(keep, f"checkpoint {state.checkpoint} is not kept yet")
        self.state = state.without_snapshot()

    async def keep_before(self, data: bytes) -> None:
        """Keep what the instance is before it is moved by hand."""
        assert self.claim is not None
        keep = functools.partial(self.host.instances.keep_before, self.claim, data)
        await self.patiently(keep, "the state before is not kept yet")

    async def put_back(self, state: InstanceState, segments: dict[str, bytes]) -> None:
        """Let a state of before be the last one. Raises SnapshotError for what is none."""
        self.records.check_is_snapshot(self._seal.open(state.snapshot, segments))
        state = self.records.check_state(state)

        async def keep() -> None:
            assert self.claim is not None
            committing = self.host.instances.commit(self.claim, state, segments or None)
            if committing is not None:
                await committing

        await self.patiently(keep, "the state before is not put back yet")
        self.state = state

    async def load_before(self) -> bytes | None:
        """What ``keep_before`` has kept."""
        load = functools.partial(self.host.instances.load_before, self.instance_id)
        return await self.patiently(load, "the state before is not loaded yet")

    async def load_segments(self) -> dict[str, bytes]:
        """The segments that the store has of it, with those of the state before an exception."""
        load = functools.partial(self.host.instances.load_segments, self.instance_id)
        return await self.patiently(load, "the snapshot is not loaded yet")

    async def end(self, state: InstanceState, *, keeps_snapshot: bool) -> None:
        """Keep the last state, as ``commit``, with the snapshot that is kept or without any, and let go of the instance."""
        assert self.claim is not None
        self._check_lives()
        check_size(self.instance_id, "the result", len(state.outcome))
        if self.transaction is not None:
            await self._commit_transaction(*await self._last_in_transaction(state, keeps_snapshot))
        await self.patiently(lambda: self._end(state, keeps_snapshot), "the end is not kept yet")
        self.claim, self.state = None, state

    def is_trusted(self) -> None:
        """It has made progress since its processes died: the next commit ends the row of these deaths."""
        assert self.claim is not None
        self.claim = self.claim._replace(proven_at=0.0)

    def _check_lives(self) -> None:
        """Raise FencedError if this process is known to have lost the instance: it was taken for dead, or is a fork."""
        if self.is_lost() and self.claim is not None:
            raise fenced(self.instance_id, self.claim.epoch)

    def is_lost(self) -> bool:
        """Whether this process does not count any more as who has taken up the instance."""
        return self.gate.closes_at == -math.inf

    def _end(self, state: InstanceState, keeps_snapshot: bool) -> Awaitable[None]:
        assert self.claim is not None
        return self.host.instances.end(self.claim, state, keeps=keeps_snapshot)

    async def _last_in_transaction(self, state: InstanceState, keeps_snapshot: bool) -> tuple[InstanceState, Saved | None]:
        if not keeps_snapshot:
            return state, None
        load = functools.partial(self.host.instances.load, self.instance_id)
        kept = await self.patiently(load, "the last state is not loaded yet")
        snapshot = kept.state.snapshot if kept is not None else b""  # else it is gone: the commit will be refused
        return state._replace(snapshot=snapshot), Saved(b"", {}, is_whole=False)

    def patiently(self, ask: Callable[[], Awaitable[T]], what: str) -> Awaitable[T]:
        """What ``ask`` gives, of the store: see ``patience``. ``what`` is not done before."""
        return patiently(ask, self.host.patience, f"{what} of instance {self.instance_id}", self.about)

    async def _commit_transaction(self, state: InstanceState, saved: Saved | None) -> None:
        """Commit with the program's data, or neither."""
        transaction, self.transaction = self.transaction, None
        assert transaction is not None
        assert self.claim is not None
        segments, is_whole = _segments_of(saved)
        try:
            await transaction.commit(self.claim, state, segments, is_whole)
        except AWAY:
            self.has_lost_transaction = True
            raise
        self.state = state.without_snapshot()

    async def record_hold(self, hold: HoldRecord) -> None:
        """Let others see what holds the instance."""
        if self.claim is None or self.state is None:
            return
        try:
            await self.host.instances.note_hold(self.claim, hold, self.state.checkpoint)
        except (StoreError, OSError) as error:
            logger.debug("it was not recorded what holds instance %s: %s", self.instance_id, error, extra=self.about())

    async def keep_key(self, key: str, digest: bytes) -> bytes:
        """Keep the digest of the call that is given a key; gives that of the first. While the store is unavailable, try again."""
        self._check_lives()
        assert self.claim is not None
        keep = functools.partial(self.host.instances.keep_key, self.claim, key, digest)
        return await self.patiently(keep, f"the key {key!r} is not kept yet")

    async def remove_events(self, numbers: tuple[int, ...], accepted: dict[int, str]) -> None:
        """The state has these events: the store may forget them, and then the state may forget their numbers."""
        try:
            await self.host.instances.remove_events(self.instance_id, numbers)
        except (StoreError, OSError) as error:  # they stay accepted: the next commit tries again
            logger.debug("events of instance %s were not removed: %s", self.instance_id, error, extra=self.about())
            return
        for number in numbers:
            accepted.pop(number, None)

    async def release(self, *, has_lived: bool) -> None:
        """Undo a transaction that is open, and let go of the instance. ``has_lived``: it was about to go on."""
        if self.transaction is not None:
            transaction, self.transaction = self.transaction, None
            await transaction.rollback()
        if self.claim is not None:
            try:
                await self.host.instances.release(self.claim, has_lived=has_lived, failure=self.failure)
            except (StoreError, OSError) as error:  # the lease ends by itself; what matters is committed
                logger.warning("instance %s was not released: %s", self.instance_id, error, extra=self.about())

    def about(self) -> dict[str, Any]:
        """What a record of the log says of the instance."""
        return self.host.about(self.instance_id, self.state.checkpoint if self.state is not None else None)


def _with_segments(checkpoint: Checkpoint, changes: dict[str, bytes | None]) -> Checkpoint:
    """The same with more changes of segments."""
    if not changes:
        return checkpoint
    saved = checkpoint.saved
    return checkpoint._replace(saved=saved._replace(segments={**(saved.segments or {}), **changes}))


def _segments_of(saved: Saved | None) -> tuple[Segments | None, bool]:
    """What is to be done about the segments in the store, and whether that are all."""
    return (saved.segments, saved.is_whole) if saved is not None else (None, True)
