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


class Rule(NamedTuple):
    """For one that is to begin: how many are let live beside it. ``alone_from``: deaths; ``beside``: the ids of those that wait
    for it, which are not counted."""

    alone_from: int = ALONE_FROM
    beside: Collection[str] = ()


def alone_before(limit: int | None) -> int:
    """From how many deaths on one is alone, if it is given up after ``limit``."""
    return ALONE_FROM if limit is None else max(limit - 1, 1)


def group_of(deaths: int, alone_from: int = ALONE_FROM) -> int:
    """Which instances share a limit."""
    return min(deaths, alone_from, ALONE_FROM)


def limit_of(group: int, alone_from: int = ALONE_FROM) -> int | None:
    """How many of a group may be in flight at once; None: any number."""
    return 1 if group >= min(alone_from, ALONE_FROM) else AT_ONCE.get(group)


class Room:
    """What may still be taken up, beside those that are in flight."""

    def __init__(self, in_flight: Counter[int], alone_from: int) -> None:
        self._in_flight = Counter(in_flight)
        self._alone_from = alone_from

    def takes(self, deaths: int) -> bool:
        """Whether there is room for one more; it is counted."""
        if deaths < 1:
            return True
        group = group_of(deaths, self._alone_from)
        limit = limit_of(group, self._alone_from)
        if limit is not None and self._in_flight[group] >= limit:
            return False
        self._in_flight[group] += 1
        return True


class Suspects:
    """Those in flight in one process, which have not lived long enough yet to be above suspicion."""

    def __init__(self) -> None:
        self._claims: dict[str, Claim] = {}

    def admit(self, claim: Claim, rule: Rule | None = None) -> None:
        """It is taken up: in the work that does that, so that the next one counts it. Raises InstanceHeldBackError if ``rule``
        leaves no room for it."""
        if claim.attempts > 0:
            if rule is not None and not self.room(rule.alone_from, (claim.instance_id, *rule.beside)).takes(claim.attempts):
                raise InstanceHeldBackError(claim.instance_id, claim.attempts)
            self._claims[claim.instance_id] = claim

    def commits(self, claim: Claim) -> None:
        """It is above suspicion if this commit ends the row of its deaths."""
        if claim.attempts and not claim.attempts_kept():
            self.forget(claim.instance_id, claim.epoch)

    def forget(self, instance_id: str, epoch: int) -> None:
        """It has ended, or was let go of, unless it was taken up again since."""
        found = self._claims.get(instance_id) if self._claims else None
        if found is not None and found.epoch == epoch:
            del self._claims[instance_id]

    def drop(self, epoch: int) -> None:
        """All that were taken up with it are not, or nobody knows."""
        for claim in list(self._claims.values()):
            self.forget(claim.instance_id, epoch)

    def clear(self) -> None:
        """This process has let go of all."""
        self._claims.clear()

    def room(self, alone_from: int = ALONE_FROM, beside: Collection[str] = ()) -> Room:
        """For others. Those ``beside`` are not counted."""
        now, claims = time.monotonic(), list(self._claims.values())
        in_flight = [each for each in claims if now < each.proven_at and each.instance_id not in beside]
        return Room(Counter(group_of(each.attempts, alone_from) for each in in_flight), alone_from)
