"""One of the stores that users implement (``base.StateStore``), as what the rest of the package needs (``store``).

States are loaded and saved there. All else is in the memory of this process, or is an error that says so: who owns an instance,
events, what is to be tried again. So one process at a time may use such a store.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from functools import partial

from durable_import.errors import DurableError, StoreError
from durable_import.log import about, logger
from durable_import.stores.base import StateStore
from durable_import.stores.changes import Awaited
from durable_import.stores.flat import from_dict, to_dict
from durable_import.stores.memory import MemoryStore
from durable_import.stores.owner import Owner
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

FORMER = ("acquire", "commit", "commit_segments", "commit_at_once", "publish_event", "publish_once", "find_work", "load_history")


class AdaptedStore:
    """``store`` as a ``Store``. Raises StoreError for one that was made for several processes, as none was let down silently."""

    transactions: Transactions | None = None
    history: History | None = None
    keeps_segments = False

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._memory = MemoryStore()
        former = [name for name in FORMER if callable(getattr(store, name, None))]
        if "acquire" in former:
            raise StoreError(
                f"{store!r} has owners of its own ({', '.join(former)}), and is not asked for more than load and save any more. "
                "Derive it from FullStateStore (durable_import.stores), and give a whole Store as its 'instances'; or leave "
                "those methods out, if one process at a time uses it."
            )
        if former:
            logger.warning("%r is asked for load and save only: its %s is not used", store, ", ".join(former))

    def __repr__(self) -> str:
        return repr(self._store)

    # --- who owns instances

    def register(self, who: Owner, lease: float) -> int:
        return self._memory.register(who, lease)

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        return self._memory.renew(owner, old, new, lease)

    def owners(self) -> builtins.list[OwnerRow]:
        return self._memory.owners()

    def bury(self, owner: int, beat: int, limit: int) -> int:
        return self._memory.bury(owner, beat, limit)

    def retire(self, owner: int) -> None:
        self._memory.retire(owner)

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
        found = await self.load(instance_id)
        self._memory.note(instance_id, found)
        begun = await self._memory.begin(instance_id, owner, epoch, new, call, origin, rule)
        if found is None and begun.state is not None:
            await self._store.save(instance_id, to_dict(begun.state, begun.call))
        # another process may have begun it since: lives are not counted here
        return begun if found is None else begun._replace(state=found.state, lives=None)

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
        if orphans:
            raise self._cannot("look for unfinished instances: run each by its id, or use SQLite, PostgreSQL or a folder")
        taken = await self._memory.claim(owner, epoch, room, queues, orphans=orphans, alone_from=alone_from, is_again=is_again)
        return [begun for each in taken if (begun := await self._completed(each)) is not None]

    async def _completed(self, begun: Begun) -> Begun | None:
        """One that was taken up, with its state; None: it has none that can be read."""
        name, error = begun.claim.instance_id, "it is not there any more"
        try:
            kept = await self.load(name)
            if kept is not None:
                return begun._replace(state=kept.state, call=kept.call, lives=None)
        except DurableError as damage:  # the others go on
            error = str(damage)
        logger.error("instance %s cannot go on: %s", name, error, extra=about(name))
        await self._memory.release(begun.claim, failure=Failure(error, begun.attempts + 1, True))
        return None

    def commit(
        self,
        claim: Claim,
        state: InstanceState,
        segments: Segments | None = None,  # noqa: ARG002  it keeps none
        is_whole: bool = True,  # noqa: ARG002
    ) -> Awaitable[None] | None:
        return Committing(partial(self._commit, claim, state))

    async def _commit(self, claim: Claim, state: InstanceState) -> None:
        await self._store.save(claim.instance_id, to_dict(state, self._memory.call_of(claim)))
        await self._memory.keep_small(claim, state)

    async def end(self, claim: Claim, state: InstanceState, *, keeps: bool) -> None:
        found = await self.load(claim.instance_id) if keeps else None
        if found is not None:
            state = state._replace(snapshot=found.state.snapshot)
        await self._store.save(claim.instance_id, to_dict(state, self._memory.call_of(claim)))
        await self._memory.end(claim, state._replace(snapshot=b"", outcome=b""), keeps=keeps)
        self._memory.slim(claim.instance_id)

    async def release(self, claim: Claim, *, has_lived: bool = True, failure: Failure | None = None) -> None:
        await self._memory.release(claim, has_lived=has_lived, failure=failure)
        self._memory.slim(claim.instance_id)

    async def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        await self._memory.note_hold(claim, hold, checkpoint)

    async def set_tags(self, claim: Claim, tags: Mapping[str, str | None]) -> None:
        await self._memory.set_tags(claim, tags)

    async def keep_key(self, claim: Claim, key: str, digest: bytes) -> bytes:
        return await self._memory.keep_key(claim, key, digest)

    async def retry(self, instance_id: str) -> bool:
        self._memory.note(instance_id, await self.load(instance_id))
        return await self._memory.retry(instance_id)

    async def hasten(self) -> None:
        await self._memory.hasten()

    async def delete(self, instance_id: str) -> None:  # noqa: ARG002
        raise self._cannot("delete instances")

    # --- looking

    async def load(self, instance_id: str) -> Kept | None:
        found = await self._store.load(instance_id)
        return from_dict(instance_id, found) if found is not None else None

    async def load_segments(self, instance_id: str, names: Collection[str] | None = None) -> dict[str, bytes]:  # noqa: ARG002  it keeps none
        return {}

    async def summary(self, instance_id: str) -> InstanceSummary | None:
        self._memory.note(instance_id, await self.load(instance_id))
        return await self._memory.summary(instance_id)

    async def list(self, query: InstanceQuery) -> Page:  # noqa: ARG002
        raise self._cannot("list its instances")

    async def count(self, query: InstanceQuery, by: CountedBy | None = None) -> dict[str, int]:  # noqa: ARG002
        raise self._cannot("list its instances")

    async def remove_finished(self, seconds: float) -> int:  # noqa: ARG002  it cannot
        return 0

    # --- events, and the rest

    async def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None = None) -> bool:
        return await self._memory.publish(instance_id, name, payload, event_id)

    async def was_published(self, event_id: str) -> bool:
        return await self._memory.was_published(event_id)

    async def load_events(self, instance_id: str) -> builtins.list[Event]:
        return await self._memory.load_events(instance_id)

    async def remove_events(self, instance_id: str, numbers: Iterable[int]) -> None:
        await self._memory.remove_events(instance_id, numbers)

    async def pending(self, owner: int, since: int) -> dict[str, int]:
        return await self._memory.pending(owner, since)

    async def wait_for_change(self, timeout: float, awaited: Awaited | None = None) -> None:
        await self._memory.wait_for_change(timeout, awaited)

    async def save_source(self, digest: str, text: str) -> None:
        await self._memory.save_source(digest, text)

    async def load_source(self, digest: str) -> str | None:
        return await self._memory.load_source(digest)

    async def need_sources(self, digests: Collection[str]) -> set[str]:
        return await self._memory.need_sources(digests)

    async def has_old_sources(self, before: float) -> bool:  # noqa: ARG002  those of this process are needed
        return False

    async def remove_sources(self, before: float, needed: Collection[str]) -> int:  # noqa: ARG002
        return 0

    async def load_blobs(self, after: str, limit: int) -> tuple[builtins.list[bytes], str]:  # noqa: ARG002
        return [], ""

    async def keep_before(self, claim: Claim, data: bytes) -> None:
        await self._memory.keep_before(claim, data)

    async def load_before(self, instance_id: str) -> bytes | None:
        return await self._memory.load_before(instance_id)

    async def close(self) -> None:
        """What the user has opened is the user's to close."""

    def _cannot(self, what: str) -> DurableError:
        return DurableError(f"{self._store!r} cannot {what}")
