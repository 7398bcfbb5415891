"""The lives of instances over rows that are found and kept one by one. All of it blocks, and is done under one lock."""

from __future__ import annotations

import builtins
import math
import time
from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from durable_import.errors import DurableError
from durable_import.log import about, logger
from durable_import.stores.base import MIN_ID_AGE
from durable_import.stores.listing import count_of, page_of
from durable_import.stores.owner import Owner, refusal
from durable_import.stores.plain.row import InstanceRow, Registered
from durable_import.stores.state import (
    ANNOUNCED,
    ANSWER_TO,
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
    fenced,
    owner_lost,
)
from durable_import.stores.store import Begun, Kept
from durable_import.stores.suspects import Rule, Suspects

AFTER = "@"  # before an id, which may be empty
ENOUGH = 1 << 20  # bytes to look through at once: to find where to go on takes as long as to look at all ids


class Rows(ABC):
    """See the module; the methods without an underscore that are not abstract are those of ``store.Store``."""

    def __init__(self) -> None:
        self._suspects = Suspects()

    # --- where rows are

    @abstractmethod
    def _find(self, instance_id: str) -> InstanceRow | None:
        """The row of an instance, for a change. Raises SnapshotAuthenticationError for what is no state."""

    @abstractmethod
    def _keep(self, row: InstanceRow, *, is_committed: bool = False) -> None:
        """Keep a row; ``is_committed``: it has another state, or is new."""

    @abstractmethod
    def _remove(self, instance_id: str) -> None:
        """Forget all of an instance but its events, also what is no state."""

    @abstractmethod
    def _rows(self, *, owner: int | None = None, may_work: bool = False) -> Iterable[InstanceRow]:
        """All that have a state, without their bytes; or those of an owner, with a state or not; or at least those that nobody
        owns and that may have something to do."""

    @abstractmethod
    def _summarised(self, instance_id: str) -> InstanceRow | None:
        """The row of an instance without its bytes."""

    @abstractmethod
    def _put(self, instance_id: str, state: dict[str, Any]) -> None:
        """Keep a flat dict, a state or not, in place of what there is."""

    @abstractmethod
    def _holder(self, instance_id: str) -> int | None:
        """Who owns an instance, or what is no state."""

    @abstractmethod
    def _owners(self) -> dict[int, Registered]:
        """All owners by their numbers."""

    @abstractmethod
    def _owner(self, number: int) -> Registered | None:
        """One of them."""

    @abstractmethod
    def _keep_owner(self, number: int, owner: Registered | None) -> None:
        """Keep an owner, or forget it."""

    @abstractmethod
    def _published(self, instance_id: str) -> float | None:
        """When the first event for an instance was published."""

    @abstractmethod
    def _forget_event_ids(self, before: float) -> None:
        """Those of events that were published before this time."""

    @abstractmethod
    def _announce(self) -> None:
        """Others may wait for what has happened."""

    @abstractmethod
    def load_dict(self, instance_id: str) -> dict[str, Any] | None:
        """What ``_put`` was given, or a state."""

    @abstractmethod
    def load_history(self, instance_id: str) -> builtins.list[InstanceState]: ...

    @abstractmethod
    def publish(self, instance_id: str, name: str, payload: bytes, event_id: str | None) -> bool: ...

    @abstractmethod
    def was_published(self, event_id: str) -> bool: ...

    @abstractmethod
    def load_events(self, instance_id: str) -> builtins.list[Event]: ...

    @abstractmethod
    def remove_events(self, instance_id: str, numbers: Iterable[int] | None) -> None:
        """None: all."""

    @abstractmethod
    def _addressees(self) -> Iterable[tuple[str, int]]:
        """Who has events, with the highest number of each."""

    @abstractmethod
    def save_source(self, digest: str, text: str) -> None: ...

    @abstractmethod
    def load_source(self, digest: str) -> str | None: ...

    @abstractmethod
    def _old_sources(self, before: float) -> Iterable[str]:
        """What texts are called that were not saved since."""

    @abstractmethod
    def _source_name(self, digest: str) -> str:
        """What the text of a digest is called."""

    @abstractmethod
    def _is_needed(self, name: str) -> None:
        """As if a text was saved now."""

    @abstractmethod
    def _remove_source(self, name: str) -> None: ...

    @abstractmethod
    def _put_before(self, instance_id: str, data: bytes) -> None: ...

    @abstractmethod
    def load_before(self, instance_id: str) -> bytes | None: ...

    # --- who owns instances

    def register(self, who: Owner, lease: float) -> int:
        number, now = int(who.session or "0", 16), time.time()
        if self._owner(number) is None:
            self._keep_owner(number, Registered(who, now, now + lease, float(lease)))
        return number

    def renew(self, number: int, old: int, new: int, lease: float) -> bool:
        owner = self._owner(number)
        if owner is None or owner.is_dead or owner.beat != old:
            return False
        owner.beat, owner.lease, owner.until = new, float(lease), time.time() + lease
        self._keep_owner(number, owner)
        return True

    def owners(self) -> builtins.list[OwnerRow]:
        found = self._owners().items()
        return [OwnerRow(number, each.who, each.beat, each.lease, each.until, each.is_dead, each.since) for number, each in found]

    def bury(self, number: int, beat: int, limit: int) -> int:
        owner = self._owner(number)
        if owner is None or not (owner.is_dead or owner.beat == beat):
            return 0
        owner.is_dead = True
        self._keep_owner(number, owner)
        left = [*self._rows(owner=number)]
        for row in left[:limit]:
            row.leave(is_to_blame=True)
            self._let_go(row)
        if len(left) < limit:
            self._keep_owner(number, None)
        return len(left[:limit])

    def retire(self, number: int) -> None:
        for row in [*self._rows(owner=number)]:
            row.leave(is_to_blame=False)
            self._let_go(row)
        self._keep_owner(number, None)
        self._suspects.clear()

    def _is_dead(self, number: int) -> bool:
        owner = self._owner(number)
        return owner is None or owner.is_dead

    # --- the life of an instance

    def begin(
        self,
        instance_id: str,
        owner: int,
        epoch: int,
        new: InstanceState | None,
        call: bytes,
        origin: Origin = NO_ORIGIN,
        rule: Rule | None = None,
    ) -> Begun:
        if self._is_dead(owner):
            raise owner_lost(owner)
        row = self._find(instance_id)
        if row is not None and row.owner != owner:
            self._check_free(instance_id, row.owner)
        if row is None or (row.state is None and row.epoch != epoch):
            row = InstanceRow(instance_id, call, time.time(), origin)
        had_state = row.state is not None
        if (row.owner, row.epoch) != (owner, epoch) and row.due != math.inf:
            self._suspects.admit(Claim(instance_id, epoch).after(row.deaths(owner), None), rule)
        begun = row.take(owner, epoch, new, call)
        self._suspects.admit(begun.claim)
        self._keep(row, is_committed=row.state is not None and not had_state)
        if begun.is_new:
            self._announce()
        return begun._replace(events=self.load_events(instance_id))

    def claim(self, owner: int, epoch: int, room: int, orphans: bool, alone_from: int, is_again: bool) -> builtins.list[Begun]:
        if self._is_dead(owner):
            raise owner_lost(owner)
        mine = [*self._rows(owner=owner)] if is_again else []
        taken = [self.begin(row.instance_id, owner, epoch, None, b"") for row in mine if row.epoch == epoch]
        space = self._suspects.room(alone_from)
        for deaths, _, instance_id, row in sorted(self._idle_rows(orphans), key=lambda each: each[:3]):
            if len(taken) < room and space.takes(deaths):
                try:
                    taken.append(self.begin(instance_id, owner, epoch, None, b""))
                except DurableError as error:  # it is damaged: the others go on
                    logger.error("instance %s is stuck: %s", instance_id, error, extra=about(instance_id))
                    row.error, row.due = str(error), math.inf
                    self._keep(row)
        return taken

    def _idle_rows(self, orphans: bool) -> Iterable[tuple[int, float, str, InstanceRow]]:
        """Those that have something to do: the deaths of each, since when, its id, and the row."""
        now, gone = time.time(), dict[int, bool]()
        for row in self._rows(may_work=True):
            if row.owner is not None and self._is_forgotten(row.owner, gone):
                row.leave(is_to_blame=True)
            since = row.idle_since(self._published(row.instance_id), now, orphans)
            if since is not None:
                yield row.deaths(), since, row.instance_id, row

    def _is_forgotten(self, owner: int, known: dict[int, bool]) -> bool:
        """Whether somebody has removed what there was of an owner, or made it unreadable; ``known``: what was found before."""
        if owner not in known:
            known[owner] = self._owner(owner) is None
        return known[owner]

    def commit(self, claim: Claim, state: InstanceState) -> None:
        row = self.current(claim)
        row.commit(claim, state)
        self._suspects.commits(claim)
        self._keep(row, is_committed=True)
        if state.status in ANNOUNCED:
            self._announce()

    def end(self, claim: Claim, state: InstanceState, keeps: bool) -> None:
        row = self._find(claim.instance_id)
        if row is None:
            raise fenced(claim.instance_id, claim.epoch)
        row.end(claim, state, keeps)
        self._keep(row, is_committed=True)
        if not keeps:
            self.remove_events(claim.instance_id, None)
        self._suspects.forget(claim.instance_id, claim.epoch)
        self._announce()

    def release(self, claim: Claim, has_lived: bool, failure: Failure | None) -> None:
        row = self._find(claim.instance_id)
        if row is not None and row.is_current(claim):
            row.release(has_lived, failure)
            self._let_go(row)
            self._suspects.forget(claim.instance_id, claim.epoch)

    def note_hold(self, claim: Claim, hold: HoldRecord, checkpoint: int) -> None:
        row = self._find(claim.instance_id)
        if row is not None and row.is_current(claim) and row.state is not None and row.state.checkpoint == checkpoint:
            row.hold = hold
            self._keep(row)

    def set_tags(self, claim: Claim, tags: Mapping[str, str | None]) -> None:
        row = self._find(claim.instance_id)
        if row is not None and row.is_current(claim):
            row.tags = {**(row.tags or {}), **tags}
            self._keep(row)

    def keep_key(self, claim: Claim, key: str, digest: bytes) -> bytes:
        row = self.current(claim)
        first = row.keys.keep(key, digest, claim.epoch)
        self._keep(row)
        return first

    def keep_before(self, claim: Claim, data: bytes) -> None:
        self.current(claim)
        self._put_before(claim.instance_id, data)

    def retry(self, instance_id: str) -> bool:
        row = self._find(instance_id)
        is_due = row is not None and row.retry()
        if row is not None and is_due:
            self._keep(row)
            self._announce()
        return is_due

    def hasten(self) -> None:
        for row in [*self._rows(may_work=True)]:
            if row.due is not None and row.due != math.inf and row.owner is None:
                row.due = 0.0
                self._keep(row)

    def delete(self, instance_id: str) -> None:
        self.remove_events(instance_id, None)
        self._remove(instance_id)

    def save(self, instance_id: str, state: dict[str, Any]) -> None:
        """Begin, commit and release in one step, of what is a state or not. Raises InstanceBusyError."""
        self._check_free(instance_id, self._holder(instance_id))
        self._put(instance_id, state)
        if state.get("status") in ANNOUNCED:
            self._announce()

    def current(self, claim: Claim) -> InstanceRow:
        """The row of a claim that is current. Raises FencedError for another."""
        row = self._find(claim.instance_id)
        if row is None or not row.is_current(claim):
            raise fenced(claim.instance_id, claim.epoch)
        return row

    def _let_go(self, row: InstanceRow) -> None:
        """Keep one that nobody owns any more, if it has begun."""
        if row.state is None:
            self._remove(row.instance_id)
        else:
            self._keep(row)

    def _check_free(self, instance_id: str, holder: int | None) -> None:
        """Raise InstanceBusyError if nobody has taken the owner of an instance for dead."""
        owner = self._owner(holder) if holder is not None else None
        if owner is not None and not owner.is_dead:
            raise refusal(instance_id, owner.who, owner.since, owner.until, holder or 0)

    # --- looking

    def load(self, instance_id: str) -> Kept | None:
        row = self._find(instance_id)
        return Kept(row.state, row.call) if row is not None and row.state is not None else None

    def summary(self, instance_id: str) -> InstanceSummary | None:
        row = self._summarised(instance_id)
        return self._summary_of(row) if row is not None and row.state is not None else None

    def list(self, query: InstanceQuery) -> Page:
        return page_of([self._summary_of(row) for row in self._rows()], query)

    def count(self, query: InstanceQuery, by: CountedBy | None) -> dict[str, int]:
        return count_of([self._summary_of(row) for row in self._rows()], query, by)

    def _summary_of(self, row: InstanceRow) -> InstanceSummary:
        return row.summary(self._owner(row.owner) if row.owner is not None else None)

    def pending(self, owner: int, since: int) -> dict[str, int]:
        return {name: number for name, number in self._addressees() if number > since and self._holder(name) == owner}

    def need_sources(self, digests: Collection[str]) -> set[str]:
        found = {digest for digest in digests if self.load_source(digest) is not None}
        for digest in found:
            self._is_needed(self._source_name(digest))
        return found

    def has_old_sources(self, before: float) -> bool:
        return any(True for _ in self._old_sources(before))

    def remove_sources(self, before: float, needed: Collection[str]) -> int:
        old, stay = {*self._old_sources(before)}, {self._source_name(each) for each in needed}
        for name in old & stay:
            self._is_needed(name)
        for name in old - stay:
            self._remove_source(name)
        return len(old - stay)

    def load_blobs(self, after: str, limit: int) -> tuple[builtins.list[bytes], str]:
        ids = sorted(f"{AFTER}{row.instance_id}" for row in self._rows())
        found = list[bytes]()
        for number, name in enumerate(ids[bisect_right(ids, after) :]):
            if number >= limit and sum(map(len, found)) >= ENOUGH:
                break
            instance_id, after = name.removeprefix(AFTER), name
            try:
                kept = self.load(instance_id)
            except DurableError:  # damaged: it names nothing that could be read
                continue
            found += [kept.state.snapshot, kept.call] if kept is not None else []
            found += [state.snapshot for state in self.load_history(instance_id)]
            found += [before] if (before := self.load_before(instance_id)) else []
        else:
            after = ""
        return found, after

    def remove_finished(self, seconds: float) -> int:
        now = time.time()
        gone = [row.instance_id for row in self._rows() if row.has_ended(now - seconds)]
        for instance_id in gone:
            self.delete(instance_id)
        self._forget_event_ids(now - max(seconds, MIN_ID_AGE))
        for mailbox in [name for name, _ in self._addressees() if name.startswith(ANSWER_TO)]:
            if (self._published(mailbox) or 0.0) <= now - MIN_ID_AGE:
                self.remove_events(mailbox, None)
        return len(gone)
