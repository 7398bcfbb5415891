"""The full store in an SQLite file: what others ask for is handed to the thread of its connection, or done at once."""

from __future__ import annotations

import builtins
import os
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from durable_import.errors import StoreError
from durable_import.pythons import forks
from durable_import.stores.bounds import HistoryBound
from durable_import.stores.changes import Awaited, Bell, Changes, bell_of, mark_of
from durable_import.stores.inline_commit_policy import InlineCommitPolicy
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite import claiming, counting, lives, looking, messages, owners
from durable_import.stores.sqlite.connection import MEMORY, Database
from durable_import.stores.sqlite.lives import Owned
from durable_import.stores.sqlite.transaction import SQLiteTransaction, Turns
from durable_import.stores.state import (
    ANNOUNCED,
    NO_ORIGIN,
    Claim,
    CountedBy,
    Event,
    Failure,
    HoldRecord,
    InstanceQuery,
    InstanceState,
    InstanceSummary,
    Origin,
    OwnerRow,
    Page,
)
from durable_import.stores.store import Begun, Committing, History, Kept, OpenTransaction, Segments, Transactions
from durable_import.stores.strays import Strays
from durable_import.stores.suspects import ALONE_FROM, Rule, Suspects
from durable_import.stores.worker import Work, Worker

T = TypeVar("T")

FEW = {"FULL": 1, "NORMAL": 8}  # see ``InlineCommitPolicy``: at FULL each commit by itself waits for the disk
LOOK_SECONDS = 0.1  # how often to look for what other processes have done
RETIRED_AT_ONCE = 500  # instances
# Seconds that a burial waits for a lock. Who has it for long keeps others from renewing their leases: they are alive.
BURIAL_PATIENCE = 0.05


class SQLiteStore:
    """See ``store.Store``. ``path`` is a file or ``:memory:``; for the rest see ``SQLiteStateStore``."""

    fork_rank = 1

    keeps_segments = True

    def __init__(
        self,
        path: str,
        synchronous: str = "FULL",
        patience: float = 10.0,
        is_shared: bool = False,
        bound: HistoryBound | None = None,
    ) -> None:
        self.path = path
        self._bound = bound
        self.history: History | None = self if bound is not None else None
        self.transactions: Transactions | None = self
        self._inline_commits = InlineCommitPolicy(FEW[synchronous])
        self._open = partial(Database, path, synchronous, patience, is_shared, bound, self._inline_commits)
        self._open_keeping = partial(Database, path, synchronous, patience, is_shared, None, InlineCommitPolicy(0))
        self._worker: Worker[sqlite3.Connection] = Worker(self._open, f"durable_import {path}", Database.let_go)
        self._strays = Strays()
        self._turns = Turns(patience)
        self._prepare()
        forks.joins(self)
        bell = Bell() if path == MEMORY else bell_of(os.path.realpath(path))
        self._changes = Changes(self._look, bell, LOOK_SECONDS)
        self._rings = 0  # changes by this process, which the connection does not tell

    def __repr__(self) -> str:
        return f"SQLiteStateStore({self.path!r})"

    def _prepare(self) -> None:
        self._owned: dict[tuple[int, int], Owned] = {}  # by number and epoch
        self._suspects = Suspects()
        self._unreleased: list[Callable[[sqlite3.Connection], None]] = []  # the database could not be written then
        self._registered: set[int] = set()
        self._keeping = self._open_keeping()  # for threads of keepers
        self._keeping_lock = threading.Lock()
        self._rest = forks.Rest(self._keeping_lock)

    def rest(self, seconds: float) -> None:
        """See ``forks.Forking``."""
        if self._rest.begin(seconds):
            self._keeping.let_go()

    def go_on(self) -> None:
        """See ``forks.Forking``."""
        self._rest.end()

    def start_over(self) -> None:
        """See ``forks.Forking``."""
        for owned in self._inline_commits.owned():
            self._inline_commits.is_released(owned)
        forks.keep(self._keeping)
        self._prepare()

    # --- who owns instances

    def register(self, who: Owner, lease: float) -> int:
        owner = self._keep(partial(owners.register, who, lease))
        self._registered.add(owner)
        return owner

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        return self._keep(partial(owners.renew, owner, old, new, lease))

    def owners(self) -> builtins.list[OwnerRow]:
        return self._keep(owners.rows, writes=False)

    def bury(self, owner: int, beat: int, limit: int) -> int:
        found = [row for row in self.owners() if row.id == owner]
        is_certain = not found or found[0].is_dead or found[0].who.is_dead()
        return self._keep(partial(owners.bury, owner, beat, limit), patience=None if is_certain else BURIAL_PATIENCE)

    def retire(self, owner: int) -> None:
        while self._keep(partial(owners.retire, owner, RETIRED_AT_ONCE)):
            pass
        self._suspects.clear()
        with self._keeping_lock:
            self._registered.discard(owner)
            if not self._registered:
                self._keeping.close()

    def _keep(self, work: Callable[[sqlite3.Connection], T], *, writes: bool = True, patience: float | None = None) -> T:
        """Do something beside what event loops wait for; a database in memory has one connection only."""
        if self.path == MEMORY:
            return self._worker.wait(work, writes=writes)
        errand: Work[sqlite3.Connection] = Work(work, writes, patience)
        with self._keeping_lock:
            self._keeping.run([errand])
        result: T = errand.result()
        return result

    # --- the life of an instance

    async def begin(
        self,
        instance_id: str,
        owner: int,
        epoch: int,
        new: InstanceState | None,
        call: bytes,
        origin: Origin = NO_ORIGIN,
        rule: Rule | None = None,
    ) -> Begun:
        work = partial(lives.begin, instance_id, owner, epoch, new, call, origin, self._suspects, rule)
        try:
            with self._strays.taking(epoch):
                if new is None:
                    begun, owned = await self._worker.call(work)
                else:
                    unless = partial(lives.is_known, instance_id)  # its state may be of any size
                    begun, owned = await self._quickly(instance_id, len(call), work, unless)
        except BaseException:
            self._suspects.forget(instance_id, epoch)
            raise
        self._is_owned(begun.claim, owned)
        return begun

    async def claim(
        self,
        owner: int,
        epoch: int,
        room: int,
        queues: Sequence[str] = ("",),
        *,
        orphans: bool = True,
        alone_from: int = ALONE_FROM,
        is_again: bool = False,
    ) -> builtins.list[Begun]:
        while self._unreleased:
            await self._worker.call(self._unreleased[-1])
            self._unreleased.pop()
        taken, suspects = builtins.list[tuple[Begun, Owned]](), self._suspects
        if self._strays.may_be:
            await self._let_go_of_strays(owner, epoch)
        if is_again:
            taken = await self._worker.call(partial(claiming.claimed, owner, epoch, suspects))
        if room and not taken and await self._worker.call(partial(claiming.is_work, queues, orphans), writes=False):
            work = partial(claiming.claim, owner, epoch, room, queues, orphans, suspects, alone_from)
            try:
                with self._strays.taking(epoch):
                    taken = await self._worker.call(work)
            except BaseException:
                suspects.drop(epoch)
                raise
        for begun, owned in taken:
            self._is_owned(begun.claim, owned)
        return [begun for begun, _ in taken]

    async def _let_go_of_strays(self, owner: int, epoch: int) -> None:
        self._strays.may_be = False
        try:
            with self._strays.taking(epoch):
                for claim in await self._worker.call(partial(claiming.claims_of, owner), writes=False):
                    if (claim.number, claim.epoch) not in self._owned and not self._strays.is_taken_up(claim.epoch):
                        await self._worker.call(partial(lives.release, claim, True, None))
        except BaseException:
            self._strays.may_be = True
            raise

    def _is_owned(self, claim: Claim, owned: Owned) -> None:
        self._owned[claim.number, claim.epoch] = owned
        self._inline_commits.is_owned(claim.instance_id)

    def commit(
        self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
    ) -> Awaitable[None] | None:
        owned = self._owned_by(claim)
        if claim.attempts:
            self._suspects.commits(claim)
        owned.has_segments = owned.has_segments or bool(segments)
        size = len(state.snapshot) + (sum(len(data or b"") for data in segments.values()) if segments else 0)
        if self._inline_commits.is_quick(claim.instance_id, size):
            work: Callable[[sqlite3.Connection], bool]
            if lives.is_one_statement(state, segments, owned):
                work = partial(lives.commit_state, claim, state, owned)
            else:
                work = partial(lives.commit_at_once, claim, state, segments, is_whole, owned)
            if self._worker.at_once(lambda database: database.at_once(work, size)):
                self._is_committed(state, segments, is_whole, owned)
                return None
        return Committing(partial(self._commit, claim, state, segments, is_whole, owned))

    async def _commit(self, claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool, owned: Owned) -> None:
        self._inline_commits.comes(claim.instance_id)
        with self._strays.after_loss():
            await self._worker.call(partial(lives.commit, claim, state, segments, is_whole, owned))
        self._is_committed(state, segments, is_whole, owned)

    def _is_committed(self, state: InstanceState, segments: Segments | None, is_whole: bool, owned: Owned) -> None:
        lives.is_committed(state, segments, is_whole, owned)

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        work = partial(lives.end, claim, state, keeps, self._owned_by(claim))
        try:
            with self._strays.after_loss():
                await self._quickly(claim.instance_id, len(state.outcome), work)
        finally:
            self._has_ended(claim.instance_id)
        self._forget(claim)

    async def release(self, claim: Claim, *, has_lived: bool = True, failure: Failure | None = None) -> None:
        self._forget(claim)
        work = partial(lives.release, claim, has_lived, failure)
        try:
            await self._worker.call(work)
        except (StoreError, OSError):  # the lease of this process goes on: it is done when work is looked for
            self._unreleased.append(work)
            raise

    async def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        await self._worker.call(partial(lives.note_hold, claim, hold, checkpoint))

    async def set_tags(self, claim: Claim, tags: Mapping[str, str | None]) -> None:
        await self._worker.call(partial(lives.set_tags, claim, dict(tags)))

    async def keep_key(self, claim: Claim, key: str, digest: bytes) -> bytes:
        owned = self._owned_by(claim)
        owned.has_keys = True
        return await self._quickly(claim.instance_id, len(digest), partial(lives.keep_key, claim, key, digest))

    async def keep_before(self, claim: Claim, data: bytes) -> None:
        await self._worker.call(partial(lives.keep_before, claim, data))

    async def retry(self, instance_id: str) -> bool:
        try:
            return await self._worker.call(partial(lives.retry, instance_id))
        finally:
            self._ring()

    async def hasten(self) -> None:
        await self._worker.call(lives.hasten)

    async def delete(self, instance_id: str) -> None:
        await self._worker.call(partial(looking.remove, instance_id))

    async def save(self, instance_id: str, state: InstanceState, call: bytes) -> None:
        """Begin, commit and release in one step. Raises InstanceBusyError as ``begin``."""
        try:
            await self._worker.call(partial(lives.save, instance_id, Owner.current(), state, call))
        finally:
            if state.status in ANNOUNCED:
                self._ring()

    def _owned_by(self, claim: Claim) -> Owned:
        return self._owned.get((claim.number, claim.epoch)) or Owned(0)

    def _forget(self, claim: Claim) -> None:
        self._suspects.forget(claim.instance_id, claim.epoch)
        if self._owned.pop((claim.number, claim.epoch), None) is not None:
            self._inline_commits.is_released(claim.instance_id)

    # --- looking

    async def load(self, instance_id: str) -> Kept | None:
        return await self._worker.call(partial(looking.load, instance_id), writes=False)

    async def load_segments(self, instance_id: str, names: Collection[str] | None = None) -> dict[str, bytes]:
        return await self._worker.call(partial(looking.load_segments, instance_id, names), writes=False)

    async def load_before(self, instance_id: str) -> bytes | None:
        return await self._worker.call(partial(looking.load_before, instance_id), writes=False)

    async def load_history(self, instance_id: str) -> builtins.list[InstanceState]:
        seconds = self._bound.seconds if self._bound is not None else None
        return await self._worker.call(partial(looking.load_history, instance_id, seconds=seconds), writes=False)

    async def load_past_segments(self, instance_id: str, checkpoint: int) -> dict[str, bytes]:
        return await self._worker.call(partial(looking.load_past_segments, instance_id, checkpoint), writes=False)

    async def summary(self, instance_id: str) -> InstanceSummary | None:
        return await self._worker.call(partial(looking.summary, instance_id), writes=False)

    async def list(self, query: InstanceQuery) -> Page:
        return await self._worker.call(partial(looking.list_page, query), writes=False)

    async def count(self, query: InstanceQuery, by: CountedBy | None = None) -> dict[str, int]:
        return await self._worker.call(partial(counting.count, query, by), writes=False)

    async def remove_finished(self, seconds: float) -> int:
        return await self._worker.call(partial(looking.remove_finished, seconds))

    # --- events

    async def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None = None) -> bool:
        try:
            return await self._worker.call(partial(messages.publish, instance_id, name, payload, event_id)) is not None
        finally:
            self._ring()

    async def was_published(self, event_id: str) -> bool:
        return await self._worker.call(partial(messages.was_published, event_id), writes=False)

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._worker.call(partial(messages.load_events, instance_id), writes=False)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await self._worker.call(partial(messages.remove_events, instance_id, tuple(numbers)))

    async def pending(self, owner: int, since: int) -> dict[str, int]:
        return await self._worker.call(partial(messages.pending, owner, since), writes=False)

    async def wait_for_change(self, timeout: float, awaited: Awaited | None = None) -> None:
        await self._changes.wait(timeout, awaited)

    async def _look(self) -> object:
        return await self._worker.call(messages.data_version, writes=False), self._rings

    def _has_ended(self, instance_id: str) -> None:
        if self._changes.bell.is_awaited(mark_of(instance_id)):
            self._ring()

    def _ring(self) -> None:
        self._rings += 1
        self._changes.bell.ring()

    # --- beside the instances

    async def begin_transaction(self) -> OpenTransaction:
        """See ``store.Transactions``. ``connection`` is a ``sqlite3.Connection``; while it is open, commits wait."""
        if self.path == MEMORY:
            raise StoreError("a database in memory has one connection only, so no transactions for you: use a file")
        return await SQLiteTransaction.begin(self._open, self._committing, self._turns)

    def _committing(
        self, claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool
    ) -> Callable[[sqlite3.Connection], None]:
        owned = self._owned_by(claim)
        owned.has_segments = True  # as far as is known when the transaction is lost
        return partial(lives.commit, claim, state, segments, is_whole, owned)

    async def save_source(self, digest: str, text: str) -> None:
        await self._worker.call(partial(messages.save_source, digest, text))

    async def load_source(self, digest: str) -> str | None:
        return await self._worker.call(partial(messages.load_source, digest), writes=False)

    async def need_sources(self, digests: Collection[str]) -> set[str]:
        return await self._worker.call(partial(messages.need_sources, digests))

    async def has_old_sources(self, before: float) -> bool:
        return await self._worker.call(partial(messages.has_old_sources, before), writes=False)

    async def remove_sources(self, before: float, needed: Collection[str]) -> int:
        return await self._worker.call(partial(messages.remove_sources, before, needed))

    async def load_blobs(self, after: str, limit: int) -> tuple[builtins.list[bytes], str]:
        return await self._worker.call(partial(looking.load_blobs, after, limit), writes=False)

    async def close(self) -> None:
        await self._worker.close()
        with self._keeping_lock:
            self._keeping.close()

    async def _quickly(
        self,
        instance_id: str,
        size: int,
        work: Callable[[sqlite3.Connection], T],
        unless: Callable[[sqlite3.Connection], bool] = lambda _: False,
    ) -> T:
        """Do ``work``, at once if possible."""
        done: builtins.list[T] = []

        def attempt(connection: sqlite3.Connection) -> bool:
            return not unless(connection) and lives.at_once(lambda _: done.append(work(connection)), connection)

        is_quick = self._inline_commits.is_quick(instance_id, size)
        if is_quick and self._worker.at_once(lambda database: database.at_once(attempt, size)):
            return done[0]
        self._inline_commits.comes(instance_id)
        return await self._worker.call(work)
