"""How many of the instances whose processes have died one process takes up at once: one of them may be what kills."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from durable_import.errors import InstanceHeldBackError
from durable_import.stores.state import Claim

AT_ONCE = {2: 64, 3: 8}  # by the deaths in a row; after one as many as there are, after more one at a time
ALONE_FROM = 4
NEVER = 1 << 30  # deaths
PROBATION = 10.0  # seconds in which most that kill have done so: who outlives them makes room for one more
LONGEST = 160.0  # seconds until others no longer wait for one that is in flight, however often its processes have died


class Rule(NamedTuple):
    """For one that is to begin: how many are let live beside it. ``alone_from``: deaths; ``beside``: the ids of those that wait
    for it, which are not counted."""

    alone_from: int = ALONE_FROM
    beside: Collection[str] = ()


def alone_before(limit: int | None) -> int:
    """From how many deaths on one is alone, as the next one is its last, if it is given up after ``limit``."""
    return NEVER if limit is None else max(limit - 1, 1)


def group_of(deaths: int, alone_from: int = ALONE_FROM) -> int:
    """Which instances share a limit."""
    return min(deaths, alone_from, ALONE_FROM)


def limit_of(group: int, alone_from: int = ALONE_FROM) -> int | None:
    """How many of a group may be in flight at once; None: any number."""
    return 1 if group >= min(alone_from, ALONE_FROM) else AT_ONCE.get(group)


class _InFlight(NamedTuple):
    """``since``: by the monotonic clock."""

    claim: Claim
    since: float


class Room:
    """What may still be taken up, beside those that are in flight.

    Who is on its last attempt is alone. Of the others of a group as many are on probation as its limit says, or as have outlived
    theirs and are still in flight, if those are more: a thousand innocents whose steps take hours are under way after ten times
    the probation, since each round is twice as large, and what kills is beside few if it kills early.
    """

    def __init__(self, in_flight: Collection[_InFlight], alone_from: int, now: float) -> None:
        self._alone_from = alone_from
        self._young, self._old, self._last = Counter[int](), Counter[int](), Counter[int]()
        for claim, since in in_flight:
            group = group_of(claim.attempts, alone_from)
            (self._young if now < since + PROBATION else self._old)[group] += 1
            self._last[group] += claim.attempts >= alone_from

    def takes(self, deaths: int) -> bool:
        """Whether there is room for one more; it is counted."""
        if deaths < 1:
            return True
        group, is_last = group_of(deaths, self._alone_from), deaths >= self._alone_from
        limit = limit_of(group, self._alone_from)
        if limit is not None:
            young, old = self._young[group], self._old[group]
            is_full = young + old > 0 if is_last else self._last[group] > 0 or young >= max(limit, old)
            if is_full:
                return False
        self._young[group] += 1
        self._last[group] += is_last
        return True


class Suspects:
    """Those in flight in one process, which have not lived long enough yet to be above suspicion."""

    def __init__(self) -> None:
        self._in_flight: dict[str, _InFlight] = {}

    def admit(self, claim: Claim, rule: Rule | None = None) -> None:
        """It is taken up: in the work that does that, so that the next one counts it. Raises InstanceHeldBackError if ``rule``
        leaves no room for it."""
        if claim.attempts > 0:
            if rule is not None and not self.room(rule.alone_from, (claim.instance_id, *rule.beside)).takes(claim.attempts):
                raise InstanceHeldBackError(claim.instance_id, claim.attempts)
            found = self._in_flight.get(claim.instance_id)
            since = found.since if found is not None and found.claim.epoch == claim.epoch else time.monotonic()
            self._in_flight[claim.instance_id] = _InFlight(claim, since)

    def commits(self, claim: Claim) -> None:
        """It is above suspicion if this commit ends the row of its deaths."""
        if claim.attempts and not claim.attempts_kept():
            self.forget(claim.instance_id, claim.epoch)

    def forget(self, instance_id: str, epoch: int) -> None:
        """It has ended, or was let go of, unless it was taken up again since."""
        found = self._in_flight.get(instance_id) if self._in_flight else None
        if found is not None and found.claim.epoch == epoch:
            del self._in_flight[instance_id]

    def drop(self, epoch: int) -> None:
        """All that were taken up with it are not, or nobody knows."""
        for instance_id in list(self._in_flight):
            self.forget(instance_id, epoch)

    def clear(self) -> None:
        """This process has let go of all."""
        self._in_flight.clear()

    def room(self, alone_from: int = ALONE_FROM, beside: Collection[str] = ()) -> Room:
        """For others. Those ``beside`` are not counted."""
        now = time.monotonic()
        counted = [
            each
            for each in list(self._in_flight.values())
            if now < min(each.claim.proven_at, each.since + LONGEST) and each.claim.instance_id not in beside
        ]
        return Room(counted, alone_from, now)
