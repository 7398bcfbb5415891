"""The full store over rows: what others ask for is done in the way of the store, under its lock or in its thread."""

from __future__ import annotations

import builtins
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar

from durable_import.stores.changes import Awaited, Changes
from durable_import.stores.owner import Owner
from durable_import.stores.plain.rows import Rows
from durable_import.stores.state import (
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
from durable_import.stores.store import Begun, Committing, History, Kept, Segments, Transactions
from durable_import.stores.suspects import ALONE_FROM, Rule

R = TypeVar("R", bound=Rows)
P = ParamSpec("P")
T = TypeVar("T")


def own(rows: R, method: Callable[Concatenate[R, P], T]) -> Callable[P, T]:
    """A method as these rows have it."""
    found: Callable[P, T] = getattr(rows, method.__name__)
    return found


class PlainStore(ABC, Generic[R]):
    """See ``store.Store``. ``rows`` has no transactions, and keeps snapshots as a whole."""

    transactions: Transactions | None = None
    keeps_segments = False

    def __init__(self, rows: R, changes: Changes, keeps_history: bool) -> None:
        self.rows = rows
        self.history: History | None = self if keeps_history else None
        self._changes = changes

    @abstractmethod
    async def _do(self, method: Callable[Concatenate[R, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """What a method of the rows gives, which may change them."""

    @abstractmethod
    async def _look(self, method: Callable[Concatenate[R, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """The same of one that changes nothing."""

    @abstractmethod
    def _wait(self, method: Callable[Concatenate[R, P], T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """The same at once, in a thread that may wait."""

    # --- who owns instances

    def register(self, who: Owner, lease: float) -> int:
        return self._wait(Rows.register, who, lease)

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        return self._wait(Rows.renew, owner, old, new, lease)

    def owners(self) -> builtins.list[OwnerRow]:
        return self._wait(Rows.owners)

    def bury(self, owner: int, beat: int, limit: int) -> int:
        return self._wait(Rows.bury, owner, beat, limit)

    def retire(self, owner: int) -> None:
        self._wait(Rows.retire, owner)

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
        return await self._do(Rows.begin, instance_id, owner, epoch, new, call, origin, rule)

    async def claim(
        self,
        owner: int,
        epoch: int,
        room: int,
        queues: Sequence[str] = ("",),  # noqa: ARG002  all are in one
        *,
        orphans: bool = True,
        alone_from: int = ALONE_FROM,
        is_again: bool = False,
    ) -> builtins.list[Begun]:
        return await self._do(Rows.claim, owner, epoch, room, orphans, alone_from, is_again)

    def commit(
        self,
        claim: Claim,
        state: InstanceState,
        segments: Segments | None = None,  # noqa: ARG002  it keeps none
        is_whole: bool = True,  # noqa: ARG002
    ) -> Awaitable[None] | None:
        return Committing(partial(self._do, Rows.commit, claim, state))

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        await self._do(Rows.end, claim, state, keeps)

    async def release(self, claim: Claim, *, has_lived: bool = True, failure: Failure | None = None) -> None:
        await self._do(Rows.release, claim, has_lived, failure)

    async def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        await self._do(Rows.note_hold, claim, hold, checkpoint)

    async def set_tags(self, claim: Claim, tags: Mapping[str, str | None]) -> None:
        await self._do(Rows.set_tags, claim, dict(tags))

    async def keep_key(self, claim: Claim, key: str, digest: bytes) -> bytes:
        return await self._do(Rows.keep_key, claim, key, digest)

    async def retry(self, instance_id: str) -> bool:
        return await self._do(Rows.retry, instance_id)

    async def hasten(self) -> None:
        await self._do(Rows.hasten)

    async def delete(self, instance_id: str) -> None:
        await self._do(Rows.delete, instance_id)

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """Begin, commit and release in one step, of what is a state or not. Raises InstanceBusyError."""
        await self._do(Rows.save, instance_id, state)

    # --- looking

    async def load_dict(self, instance_id: str) -> dict[str, Any] | None:
        """What was saved."""
        return await self._look(Rows.load_dict, instance_id)

    async def load(self, instance_id: str) -> Kept | None:
        return await self._look(Rows.load, instance_id)

    async def load_segments(self, instance_id: str, names: Collection[str] | None = None) -> dict[str, bytes]:  # noqa: ARG002  it keeps none
        return {}

    async def load_past_segments(self, instance_id: str, checkpoint: int) -> dict[str, bytes]:  # noqa: ARG002
        """There are none."""
        return {}

    async def load_history(self, instance_id: str) -> builtins.list[InstanceState]:
        return await self._look(Rows.load_history, instance_id)

    async def summary(self, instance_id: str) -> InstanceSummary | None:
        return await self._look(Rows.summary, instance_id)

    async def list(self, query: InstanceQuery) -> Page:
        return await self._look(Rows.list, query)

    async def count(self, query: InstanceQuery, by: CountedBy | None = None) -> dict[str, int]:
        return await self._look(Rows.count, query, by)

    async def remove_finished(self, seconds: float) -> int:
        return await self._do(Rows.remove_finished, seconds)

    # --- events

    async def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None = None) -> bool:
        return await self._do(Rows.publish, instance_id, name, payload, event_id)

    async def was_published(self, event_id: str) -> bool:
        return await self._look(Rows.was_published, event_id)

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._look(Rows.load_events, instance_id)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await self._do(Rows.remove_events, instance_id, tuple(numbers))

    async def pending(self, owner: int, since: int) -> dict[str, int]:
        return await self._look(Rows.pending, owner, since)

    async def wait_for_change(self, timeout: float, awaited: Awaited | None = None) -> None:
        await self._changes.wait(timeout, awaited)

    # --- beside the instances

    async def save_source(self, digest: str, text: str) -> None:
        await self._do(Rows.save_source, digest, text)

    async def load_source(self, digest: str) -> str | None:
        return await self._look(Rows.load_source, digest)

    async def need_sources(self, digests: Collection[str]) -> set[str]:
        return await self._do(Rows.need_sources, digests)

    async def has_old_sources(self, before: float) -> bool:
        return await self._look(Rows.has_old_sources, before)

    async def remove_sources(self, before: float, needed: Collection[str]) -> int:
        return await self._do(Rows.remove_sources, before, needed)

    async def load_blobs(self, after: str, limit: int) -> tuple[builtins.list[bytes], str]:
        return await self._look(Rows.load_blobs, after, limit)

    async def keep_before(self, claim: Claim, data: bytes) -> None:
        await self._do(Rows.keep_before, claim, data)

    async def load_before(self, instance_id: str) -> bytes | None:
        return await self._look(Rows.load_before, instance_id)

    @abstractmethod
    async def close(self) -> None:
        """See ``store.Store``."""
