"""When tasks that are about to open a block that holds have to wait, so that the instance can be saved in between.

Nothing here waits or looks at a clock: who drives the instance tells what happens and when (in seconds, monotonic), and asks.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

Place = Hashable  # of the program: function and line, in any form

LEAST_AGE = 0.5  # seconds: doors stay open for as long after a commit,
AGE_IN_HOLDS = 4  # and for so many times the longest recent hold: so waiting adds a quarter of the time at most;
AGE_IN_WAITS = 8  # but then no longer than so many times what waiting is likely to take: blocks may end nearly at once
LEAST_PATIENCE = 5.0  # seconds: they stay closed for so long at most,
PATIENCE_IN_HOLDS = 3  # or for so many times the longest hold ever seen at the places that they wait for
OBJECTS_PASS = 0.1  # seconds: an object that has held for less may be gone in a moment, such as a connection entering a block
JUST_NOW = 0.1  # seconds since a commit
RECENT, RECENT_IN_HOLDS = 60.0, 10  # how long a hold is recent: seconds, or times its own length if that is longer


@dataclass(eq=False)
class Hold:
    """One time in which the instance is held: by a block, or by an object that cannot be saved.

    ``has_outlasted``: the doors have been closed for it, and were opened before it ended.
    """

    place: Place
    began: float
    is_block: bool
    has_outlasted: bool = False


class Doors:
    """The doors of one instance, all open or all closed.

    They close when the last commit is too old. They open when a checkpoint is made; and without one when waiting is of no use:
    a block that is open waits for the instance itself, only objects hold and one of them stays, or it has taken too long. Then
    they do not close again before what was open at that moment has ended.
    """

    def __init__(self, now: float) -> None:
        self.held_places: set[Place] = set()  # where turns began in which a hold was opened
        self._committed = now
        self._blocks: set[Hold] = set()
        self._objects: set[Hold] = set()
        self._outlasting = 0  # how many of these have outlasted the doors
        self._closed: float | None = None  # since when
        self._patience = 0.0  # for how long at most
        self._longest_at: dict[Place, float] = {}
        self._recent = _Recent()

    def hold_opened(self, place: Place, now: float, *, turn: Place | None = None, is_block: bool = True) -> Hold:
        """A hold has begun, in the turn that began at a place; it is for ``hold_closed``."""
        hold = Hold(place, now, is_block)
        (self._blocks if is_block else self._objects).add(hold)
        if turn is not None:
            self.held_places.add(turn)
        return hold

    def hold_closed(self, hold: Hold, now: float) -> None:
        """It has ended."""
        self._outlasting -= hold.has_outlasted
        if not hold.is_block:
            self._objects.remove(hold)
            return  # doors would not have stopped it, so its length says nothing about how long to leave them open
        self._blocks.remove(hold)
        length = now - hold.began
        self._longest_at[hold.place] = max(length, self._longest_at.get(hold.place, 0.0))
        self._recent.add(length, now)

    def committed(self, now: float) -> None:
        """A checkpoint was made; or none was owed when the first hold began."""
        self._committed = now
        self._closed = None

    def has_just_committed(self, now: float) -> bool:
        """Whether the last checkpoint is so young that another one would bring little."""
        return now - self._committed < JUST_NOW

    def waits_for_us(self) -> None:
        """A block that is open waits for something that only the instance itself will do."""
        if self._closed is not None:
            self._give_up()

    def wants_closed(self, now: float) -> bool:
        """Whether it is time to close them: if it would help, and the last commit is too old."""
        age = now - self._committed
        if not self._blocks or self._outlasting or age <= LEAST_AGE:
            return False
        return age > AGE_IN_HOLDS * self._recent.longest(now) or age > AGE_IN_WAITS * self._wait(now)

    def _wait(self, now: float) -> float:
        """Seconds until the blocks that are open have ended, if each lasts as long as the longest one at its place, or, if it
        lasts longer, as long again."""
        waits = []
        for hold in self._blocks:
            lasts, left = now - hold.began, self._longest_at.get(hold.place, math.inf) - (now - hold.began)
            waits.append(left if left > 0 else lasts)
        return max(waits)

    def may_open(self, now: float) -> bool:
        """Whether a task that is at a door may open its block; the doors may close, or open, by this."""
        if self._closed is None and self.wants_closed(now):
            self._close(now)
        opens_at = self.opens_at
        if opens_at is not None and now >= opens_at:
            self._give_up()
        return self._closed is None

    def may_take_turn(self, turn: Place, now: float) -> bool:
        """Whether a task that holds nothing may go on from a place: not while the doors are closed, if it has held from there."""
        return turn not in self.held_places or self.may_open(now)

    @property
    def opens_at(self) -> float | None:
        """When they open by themselves, if nothing changes; None while they are open."""
        if self._closed is None:
            return None
        opens_at = self._closed + self._patience
        if self._blocks or not self._objects:
            return opens_at
        return min(opens_at, min(hold.began for hold in self._objects) + OBJECTS_PASS)

    def _close(self, now: float) -> None:
        self._closed = now
        longest = max(self._longest_at.get(hold.place, 0.0) for hold in self._blocks)
        self._patience = max(LEAST_PATIENCE, PATIENCE_IN_HOLDS * longest)

    def _give_up(self) -> None:
        self._closed = None
        for hold in (*self._blocks, *self._objects):
            hold.has_outlasted = True
        self._outlasting = len(self._blocks) + len(self._objects)


class _Recent:
    """The longest of the holds that have ended a short time ago."""

    def __init__(self) -> None:
        self._ended: deque[tuple[float, float]] = deque()  # length, and until when it is recent: ever shorter

    def add(self, length: float, now: float) -> None:
        """One has ended."""
        while self._ended and self._ended[-1][0] <= length:
            self._ended.pop()
        self._ended.append((length, now + max(RECENT, RECENT_IN_HOLDS * length)))

    def longest(self, now: float) -> float:
        """The length of the longest; 0 if there is none."""
        while self._ended and self._ended[0][1] < now:
            self._ended.popleft()
        return self._ended[0][0] if self._ended else 0.0
