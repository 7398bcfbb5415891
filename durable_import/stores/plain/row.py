"""One instance, and one owner, as memory and disk keep them, and what happens to them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

from durable_import.errors import InstanceStuckError
from durable_import.stores.owner import Owner
from durable_import.stores.plain.keys import InstanceKeys
from durable_import.stores.state import (
    ABANDONED,
    DORMANT,
    FINISHED,
    LONGEST_PAUSE,
    NO_ORIGIN,
    STUCK,
    Claim,
    Failure,
    HoldRecord,
    InstanceState,
    InstanceSummary,
    Origin,
    fenced,
    pause_after,
)
from durable_import.stores.store import Begun
from durable_import.tags import facts_of


@dataclass(slots=True)
class Registered:
    """A process that owns instances."""

    who: Owner
    since: float
    until: float
    lease: float
    beat: int = 0
    is_dead: bool = False


@dataclass(slots=True)
class InstanceRow:
    """``state`` is None while it is owned and was never committed; ``owner`` None when nobody owns it. ``due``: when it is to be
    tried again after it could not go on, infinite for one that is stuck; None: it could."""

    instance_id: str
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
    due: float | None = None
    hold: HoldRecord | None = None
    keys: InstanceKeys = field(default_factory=InstanceKeys)
    tags: dict[str, str | None] | None = None  # set since it was begun; the value None: removed

    def take(self, owner: int, epoch: int, new: InstanceState | None, call: bytes) -> Begun:
        """Let it be owned; if it has no state, ``new`` is that. Who had it before was checked. Raises InstanceStuckError."""
        if self.owner not in (None, owner):
            self._blame()
        if self.due == math.inf:
            raise InstanceStuckError(self.instance_id, self.error or "", self.attempts)
        is_again = (self.owner, self.epoch) == (owner, epoch)  # and the answer was lost
        is_new = new is not None and (self.state is None or (is_again and (self.state, self.call) == (new, call)))
        lives = max(self.lives - is_again, 0)
        self.lives += self.state is not None and not is_again
        self.owner, self.epoch, self.due, self.hold = owner, epoch, None, None
        if self.state is None and new is not None:
            self._put(new)
        claim = Claim(self.instance_id, epoch).after(self.attempts, self.error)
        return Begun(claim, self.state, self.call, is_new, None, lives, self.attempts, self.error)

    def commit(self, claim: Claim, state: InstanceState) -> None:
        """Raises FencedError for a claim that is not current."""
        self.check(claim)
        self._put(state)
        self.lives, self.attempts, self.error, self.hold = 0, claim.attempts_kept(), None, None
        if self.keys:
            self.keys.are_committed(claim.epoch)

    def end(self, claim: Claim, state: InstanceState, keeps: bool) -> None:
        """The same; once more with the same state is no harm."""
        kept = self.state
        is_again = kept is not None and self.owner is None and self.epoch == claim.epoch
        if not (is_again and kept is not None and kept[:2] == state[:2]):
            self.check(claim)
        self._put(state._replace(snapshot=kept.snapshot) if keeps and kept is not None else state)
        self.owner, self.attempts, self.error = None, 0, None
        if not keeps:
            self.keys.clear()

    def release(self, has_lived: bool, failure: Failure | None) -> None:
        """Let nobody own it."""
        self.owner = None
        self.lives -= not has_lived
        if failure is not None:
            self.attempts, self.error = failure.attempts, failure.error
            self.due = math.inf if failure.is_stuck else time.time() + pause_after(failure.attempts)
        elif self.error is not None and self.state is not None and self.state.status == "failed":
            self.due = 0.0  # it was not tried again yet

    def leave(self, *, is_to_blame: bool) -> None:
        """The same, as its owner is gone; ``is_to_blame``: it has died, and what it was at work on may be at fault."""
        if is_to_blame:
            self._blame()
        self.release(True, None)
        self.epoch = 0

    def deaths(self, owner: int | None = None) -> int:
        """Of its processes, in a row, if ``owner`` takes it from one that has died."""
        if self.owner not in (None, owner) and self._is_at_work():
            return self.attempts + 1
        return self.attempts if self.error is None else 0

    def retry(self) -> bool:
        """Let it be tried again; gives whether there was something to try."""
        if self.state is None or self.owner is not None:
            return False
        has_failed = self.state.status == "failed"
        if self.due is None and not has_failed:
            return False
        self.due, self.attempts, self.error = 0.0, 0, "" if has_failed else None
        self.keys.forget_refused()
        return True

    def is_current(self, claim: Claim) -> bool:
        """Whether a claim is the last one, and was not given up."""
        return self.owner is not None and self.epoch == claim.epoch

    def check(self, claim: Claim) -> None:
        """Raise FencedError unless it is."""
        if not self.is_current(claim):
            raise fenced(claim.instance_id, claim.epoch)

    def _put(self, state: InstanceState) -> None:
        self.state, self.updated_at = state, time.time()

    def _blame(self) -> None:
        """Its process has died: it may have been at fault, if it was at work."""
        if self._is_at_work():
            self.attempts, self.error = self.attempts + 1, None

    def _is_at_work(self) -> bool:
        return self.state is not None and self.state.status in ABANDONED

    # --- looking

    def idle_since(self, published_at: float | None, now: float, orphans: bool) -> float | None:
        """Since when somebody could have taken it up; None when there is nothing to do. ``published_at``: its first event."""
        if self.state is None or self.owner is not None:
            return None
        status, wake_at = self.state.status, self.state.wake_at
        if self.due is not None:  # of no pause that is longer: the clock was set back
            is_later = now < self.due <= now + LONGEST_PAUSE or self.due == math.inf
            return None if is_later else self.due
        if status in ABANDONED:
            return self.updated_at if orphans else None
        moments = (published_at, wake_at if wake_at is not None and wake_at <= now else None)
        return min((each for each in moments if each is not None), default=None) if status in DORMANT else None

    def has_ended(self, before: float) -> bool:
        """Whether it had finished by then, and nobody owns it, or tries it again."""
        if self.state is None or self.owner is not None or self.due is not None:
            return False
        return self.state.status in FINISHED and self.updated_at <= before

    def summary(self, owner: Registered | None) -> InstanceSummary:
        """What is small of one that has a state."""
        assert self.state is not None
        status, checkpoint, location, function, wake_at, _, _ = self.state
        return InstanceSummary(
            instance_id=self.instance_id,
            status=STUCK if self.due == math.inf else status,
            checkpoint=checkpoint,
            location=location,
            function=function,
            wake_at=wake_at,
            updated_at=self.updated_at,
            owner=owner.who if owner is not None else None,
            lease_until=owner.until if owner is not None else None,
            created_at=self.created_at,
            attempts=self.attempts,
            error=self.error,
            hold=self.hold if owner is not None else None,
            parent=self.origin.parent,
            **facts_of(
                (name, value) for name, value in {**dict(self.origin.tags), **(self.tags or {})}.items() if value is not None
            ),
        )
