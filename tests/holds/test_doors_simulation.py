"""Tasks that hold again and again, simulated: what doors cost in time, and how much one crash makes run again."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from durable_import.holds.doors import Doors, Hold


@dataclass
class Task:
    """One task: block after block, each about ``mean`` seconds long, ``spread`` (a part of it) shorter or longer.

    ``work``: seconds, all blocks together; it goes on for as long as the others if it has none of its own to do.
    """

    name: str
    mean: float
    work: float
    spread: float = 0.25

    def lengths(self, chance: random.Random) -> Iterator[float]:
        """Of all its blocks."""
        for _ in range(round(self.work / self.mean)) if self.work else itertools.count():
            yield self.mean * chance.uniform(1 - self.spread, 1 + self.spread)


@dataclass
class Outcome:
    """``ratio``: the time of all tasks against that without doors. ``repeated``: the most blocks that ran since a commit."""

    ratio: float
    repeated: int
    commits: int


class Simulation:
    """Runs tasks to their end, without waiting: a heap of what happens next."""

    def __init__(self, tasks: list[Task]) -> None:
        self.left = {task.name: task.lengths(random.Random(task.name)) for task in tasks}
        self.working = {task.name for task in tasks if task.work}
        self.native = max(sum(task.lengths(random.Random(task.name))) for task in tasks if task.work)
        self.doors = Doors(0.0)
        self.now = 0.0
        self.open: dict[str, Hold] = {}
        self.waiting: list[str] = []
        self.since_commit = self.repeated = self.commits = 0
        self._next: list[tuple[float, int, str]] = []  # the end of a block, or "": doors open by themselves
        self._order = itertools.count()

    def run(self) -> Outcome:
        """From the first block to the end of the last."""
        for name in self.left:
            self._come_to_door(name)
        while self.working:
            self.now, _, name = heapq.heappop(self._next)
            if name:
                self.doors.hold_closed(self.open.pop(name), self.now)
                if not self.open:
                    self._commit()
                self._come_to_door(name)
            elif self.doors.may_open(self.now):
                self._let_in()
        return Outcome(self.now / self.native, self.repeated, self.commits)

    def _come_to_door(self, name: str) -> None:
        self.waiting.append(name)
        if self.doors.may_open(self.now):
            self._let_in()
        elif self.doors.opens_at is not None:
            self._plan(self.doors.opens_at, "")

    def _let_in(self) -> None:
        names, self.waiting = self.waiting, []
        for name in names:
            length = next(self.left[name], None)
            if length is None:
                self.working.remove(name)
            else:
                self.open[name] = self.doors.hold_opened(name, self.now)
                self.since_commit += 1
                self.repeated = max(self.repeated, self.since_commit)
                self._plan(self.now + length, name)

    def _commit(self) -> None:
        self.commits += 1
        self.since_commit = 0
        self.doors.committed(self.now)
        self._let_in()

    def _plan(self, when: float, name: str) -> None:
        heapq.heappush(self._next, (when, next(self._order), name))


def tasks(count: int, mean: float, work: float, spread: float = 0.25) -> list[Task]:
    """Some alike."""
    return [Task(f"{mean}:{number}", mean, work, spread) for number in range(count)]


MIXES = {
    "20 tasks of 0.2 s": (tasks(20, 0.2, 120), 1.12, 124),
    "20 tasks of 2 s": (tasks(20, 2, 1200), 1.12, 121),
    "19 tasks of 0.2 s and one of 4 s": ([*tasks(19, 0.2, 1200), *tasks(1, 4, work=0)], 1.23, 2007),
    "20 streams of 20 s": (tasks(20, 20, 6000), 1.12, 120),
    "20 tasks of 0.1 s to 0.3 s": (tasks(20, 0.2, 120, spread=0.5), 1.12, 140),
}


@pytest.mark.parametrize(("mix", "ratio", "repeated"), MIXES.values(), ids=list(MIXES))
def test_doors_cost_little_and_keep_little_at_risk(mix: list[Task], ratio: float, repeated: int) -> None:
    """However long the blocks are and however they are mixed: a fixed interval costs up to six times the time, or all work."""
    outcome = Simulation(mix).run()
    assert outcome.ratio <= ratio
    assert outcome.repeated <= repeated
    assert outcome.commits > 10


def test_a_hold_seen_for_the_first_time_costs_its_patience_once() -> None:
    """A stream of ten minutes beside short blocks: the doors give up after five seconds, and wait for the end of none."""
    outcome = Simulation([*tasks(19, 0.2, 300), *tasks(1, 600, work=0)]).run()
    assert outcome.ratio <= 1.05
