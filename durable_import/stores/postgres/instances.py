"""The full store in a PostgreSQL database: what others ask for is handed to the thread of its connection."""

from __future__ import annotations

import asyncio
import builtins
import hashlib
import secrets
import time
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, cast

from durable_import.errors import StoreError
from durable_import.pythons import forks
from durable_import.stores.bounds import HistoryBound
from durable_import.stores.changes import Awaited, Changes, bell_of, mark_of
from durable_import.stores.owner import Owner
from durable_import.stores.postgres import claiming, lives, looking, messages
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.announcements import Announcer
from durable_import.stores.postgres.columns import row_key
from durable_import.stores.postgres.lives import Owned
from durable_import.stores.postgres.owners import OwnersDesk, number_of
from durable_import.stores.postgres.pipeline import PostgresEngine, Rounds, Work
from durable_import.stores.postgres.transaction import Pools, PostgresTransaction
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
from durable_import.stores.worker import Worker

T = TypeVar("T")

LOOK_SECONDS = 1.0  # how often to look for changes that nobody has told of

Released = tuple[Claim, bool, Failure | None, bool]


class PostgresStore:
    """See ``store.Store``. For the parameters see ``PostgresStateStore``."""

    fork_rank = 1
    keeps_segments = True

    def __init__(self, address: Address, patience: float = 30.0, bound: HistoryBound | None = None) -> None:
        self.address = address
        self._bound = bound
        self.history: History | None = self if bound is not None else None
        self.transactions: Transactions | None = self
        self._patience = patience
        self._strays = Strays()
        engine = partial(PostgresEngine, address, patience, self._strays.connects)
        self._worker: Worker[None] = Worker(engine, f"durable_import {address}")
        self._changes = Changes(self._look, bell_of(str(address)), LOOK_SECONDS)
        self._prepare()
        forks.joins(self)

    def _prepare(self) -> None:
        """Have connections of this process, which are made when they are needed."""
        channel = f"durable_import_{hashlib.sha256(self.address.schema.encode()).hexdigest()[:16]}"
        self._owned: dict[tuple[str, int], Owned] = {}  # by id and epoch
        self._suspects = Suspects()
        self._unreleased: builtins.list[Released] = []  # the database could not be written then
        self._keeping = OwnersDesk(self.address, self._patience)
        self._announcer = Announcer(self.address, self._patience, channel, self._changes.bell, self._keeping.registered)
        self._pools = Pools(self.address, self._patience)

    def rest(self, seconds: float) -> None:
        """See ``forks.Forking``: a child does not touch what it inherits."""

    def go_on(self) -> None:
        """See ``forks.Forking``."""

    def start_over(self) -> None:
        """See ``forks.Forking``: to close a connection in the child would end it for the parent too."""
        forks.keep(self._keeping, self._announcer, self._pools)
        self._prepare()

    def __repr__(self) -> str:
        return f"PostgresStateStore({str(self.address)!r})"

    # --- who owns instances

    def register(self, who: Owner, lease: float) -> int:
        return self._keeping.register(who, lease)

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        return self._keeping.renew(owner, old, new, lease)

    def owners(self) -> builtins.list[OwnerRow]:
        return self._keeping.owners()

    def bury(self, owner: int, beat: int, limit: int) -> int:
        freed = self._keeping.bury(owner, beat, limit)
        if freed:
            self._ring()
        return freed

    def retire(self, owner: int) -> None:
        self._keeping.retire(owner)
        self._suspects.clear()

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
        rounds = lives.begin(instance_id, owner, epoch, new, call, origin, self._suspects, rule)
        try:
            with self._strays.taking(epoch):
                begun, owned = await self._do(rounds, instance_id)
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
            how = self._unreleased[-1]
            await self._do(lives.release(*how), how[0].instance_id)
            self._unreleased.pop()
        taken, suspects = builtins.list[tuple[Begun, Owned]](), self._suspects
        try:
            with self._strays.taking(epoch):
                if self._strays.may_be:
                    await self._let_go_of_strays(owner)
                if is_again:
                    taken = await self._do(claiming.claimed(owner, epoch, suspects))
                if room and not taken:
                    taken = await self._do(claiming.claim(owner, epoch, room, queues, orphans, suspects, alone_from))
        except BaseException:
            suspects.drop(epoch)
            raise
        for begun, owned in taken:
            self._is_owned(begun.claim, owned)
        return [begun for begun, _ in taken]

    async def _let_go_of_strays(self, owner: int) -> None:
        self._strays.may_be = False
        try:
            await self._do(claiming.nothing())
            for claim in await self._do(claiming.owned_by(owner)):
                if (claim.instance_id, claim.epoch) not in self._owned and not self._strays.is_taken_up(claim.epoch):
                    await self._do(lives.release(claim, True, None, False), claim.instance_id)
        except BaseException:
            self._strays.may_be = True
            raise

    def _is_owned(self, claim: Claim, owned: Owned) -> None:
        self._owned[claim.instance_id, claim.epoch] = owned

    def commit(
        self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True
    ) -> Awaitable[None] | None:
        return Committing(partial(self._commit, claim, state, segments, is_whole))

    async def _commit(self, claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool) -> None:
        owned = self._owned_by(claim)
        self._suspects.commits(claim)
        owned.has_segments = owned.has_segments or bool(segments)
        with self._strays.after_loss():
            await self._do(lives.commit(claim, state, segments, is_whole, owned, self._bound), claim.instance_id)
        lives.is_committed(state, segments, is_whole, owned)

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        try:
            with self._strays.after_loss():
                before = self._owned_by(claim).checkpoint
                await self._do(lives.end(claim, state, keeps, before, self._bound), claim.instance_id)
        finally:
            self._has_ended(claim.instance_id)
        self._forget(claim)

    async def release(self, claim: Claim, *, has_lived: bool = True, failure: Failure | None = None) -> None:
        how = claim, has_lived, failure, self._owned_by(claim).has_state
        self._forget(claim)
        try:
            await self._do(lives.release(*how), claim.instance_id)
        except (StoreError, OSError):  # the lease of this process goes on: it is done when work is looked for
            self._unreleased.append(how)
            raise

    async def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        await self._do(lives.note_hold(claim, hold, checkpoint), claim.instance_id)

    async def set_tags(self, claim: Claim, tags: Mapping[str, str | None]) -> None:
        await self._do(lives.set_tags(claim, dict(tags)), claim.instance_id)

    async def keep_key(self, claim: Claim, key: str, digest: bytes) -> bytes:
        self._owned_by(claim).has_keys = True
        return await self._do(lives.keep_key(claim, key, digest), claim.instance_id)

    async def keep_before(self, claim: Claim, data: bytes) -> None:
        await self._do(lives.keep_before(claim, data), claim.instance_id)

    async def retry(self, instance_id: str) -> bool:
        try:
            return await self._do(lives.retry(instance_id), instance_id)
        finally:
            self._ring()

    async def hasten(self) -> None:
        await self._do(lives.hasten())

    async def delete(self, instance_id: str) -> None:
        await self._do(looking.remove(instance_id), instance_id)

    async def save(self, instance_id: str, state: InstanceState, call: bytes) -> None:
        """Begin, commit and release in one step. Raises InstanceBusyError as ``begin``."""
        who, epoch = Owner.current(), secrets.randbits(62) | 1
        work = lives.save(instance_id, number_of(who), who.to_json(), epoch, state, call)
        try:
            await self._do(work, instance_id)
        finally:
            if state.status in ANNOUNCED:
                self._ring()

    def _owned_by(self, claim: Claim) -> Owned:
        return self._owned.get((claim.instance_id, claim.epoch)) or Owned(has_state=False)

    def _forget(self, claim: Claim) -> None:
        self._owned.pop((claim.instance_id, claim.epoch), None)
        self._suspects.forget(claim.instance_id, claim.epoch)

    # --- looking

    async def load(self, instance_id: str) -> Kept | None:
        return await self._do(looking.load(instance_id))

    async def load_segments(self, instance_id: str, names: Collection[str] | None = None) -> dict[str, bytes]:
        return await self._do(looking.load_segments(instance_id, names))

    async def load_before(self, instance_id: str) -> bytes | None:
        return await self._do(looking.load_before(instance_id))

    async def load_history(self, instance_id: str) -> builtins.list[InstanceState]:
        return await self._do(looking.load_history(instance_id, self._bound.seconds if self._bound is not None else None))

    async def load_past_segments(self, instance_id: str, checkpoint: int) -> dict[str, bytes]:
        return await self._do(looking.load_past_segments(instance_id, checkpoint))

    async def summary(self, instance_id: str) -> InstanceSummary | None:
        return await self._do(looking.summary(instance_id))

    async def list(self, query: InstanceQuery) -> Page:
        return await self._do(looking.list_page(query))

    async def count(self, query: InstanceQuery, by: CountedBy | None = None) -> dict[str, int]:
        return await self._do(looking.count(query, by))

    async def remove_finished(self, seconds: float) -> int:
        return await self._do(looking.remove_finished(seconds))

    # --- events

    async def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None = None) -> bool:
        owner = None
        try:
            published = await self._do(messages.publish(instance_id, name, payload, event_id), instance_id)
            owner = published.owner
            return published.number is not None
        finally:
            self._ring(owner)

    async def was_published(self, event_id: str) -> bool:
        return await self._do(messages.was_published(event_id))

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._do(messages.load_events(instance_id))

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await self._do(messages.remove_events(instance_id, numbers))

    async def pending(self, owner: int, since: int) -> dict[str, int]:
        return await self._do(messages.pending(owner, since))

    async def wait_for_change(self, timeout: float, awaited: Awaited | None = None) -> None:
        self._announcer.start()
        await self._changes.wait(timeout, awaited)

    async def _look(self) -> object:
        """What differs after each change that was told of, and each second."""
        return self._changes.bell.rings, time.monotonic() // LOOK_SECONDS

    def _ring(self, owner: int | None = None) -> None:
        """``owner``: whom alone it concerns; None: all who may take something up."""
        if owner is None or owner in self._keeping.registered:
            self._changes.bell.ring()
        self._announcer.announce(str(owner) if owner is not None else None)

    def _has_ended(self, instance_id: str) -> None:
        """Only who waits for that is woken."""
        mark = mark_of(instance_id)
        if self._changes.bell.is_awaited(mark):
            self._changes.bell.ring()
        self._announcer.announce(mark)

    # --- beside the instances

    async def begin_transaction(self) -> OpenTransaction:
        """See ``store.Transactions``. ``connection`` is a ``psycopg.AsyncConnection`` of its own."""
        return await PostgresTransaction.begin(self._pools, self._statements_of)

    def _statements_of(
        self, claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool
    ) -> builtins.list[tuple[str, Any]]:
        """Those of a commit, on a connection of the user's."""
        owned = self._owned_by(claim)
        owned.has_segments = owned.has_outcome = True  # as far as is known when the transaction is lost
        return lives.commit_statements(claim, state, segments, is_whole, owned, self._bound)

    async def save_source(self, digest: str, text: str) -> None:
        await self._do(messages.save_source(digest, text), digest)

    async def load_source(self, digest: str) -> str | None:
        return await self._do(messages.load_source(digest))

    async def need_sources(self, digests: Collection[str]) -> set[str]:
        return await self._do(messages.need_sources(digests))

    async def has_old_sources(self, before: float) -> bool:
        return await self._do(messages.has_old_sources(before))

    async def remove_sources(self, before: float, needed: Collection[str]) -> int:
        return await self._do(messages.remove_sources(before, needed))

    async def load_blobs(self, after: str, limit: int) -> tuple[builtins.list[bytes], str]:
        return await self._do(looking.load_blobs(after, limit))

    async def bloat(self) -> str:
        return await self._do(looking.bloat(self.address.schema))

    async def close(self) -> None:
        await self._pools.close()
        await self._worker.close()
        await asyncio.to_thread(self._end_threads)

    def _end_threads(self) -> None:
        self._announcer.stop()
        self._keeping.close()

    async def _do(self, rounds: Rounds[T], instance_id: str | None = None) -> T:
        """``instance_id``: whose row it locks."""
        work = Work(row_key(instance_id) if instance_id is not None else b"", rounds)
        return cast(T, await self._worker.call(lambda _: work))
