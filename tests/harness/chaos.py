"""SIGKILL at random moments: a program is killed and run again, until it has been killed often enough and ends."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter, defaultdict
from dataclasses import dataclass

from tests.harness.crash import is_relay
from tests.harness.processes import KILLED, Desk, Finished


@dataclass(frozen=True)
class Lives:
    """What the processes of a program did. ``each`` are all of them, the last one ended by itself."""

    each: list[Finished]
    effects: Counter[str]

    @property
    def kills(self) -> int:
        return len(self.each) - 1

    def print_all_of(self, text: str) -> bool:
        """Whether each printed a stretch of ``text`` that begins where the one before it ended, or earlier; to the end.

        What was written just before a commit that a kill prevented is printed again.
        """
        return is_relay([life.out.splitlines() for life in self.each], text.splitlines())

    @property
    def result(self) -> str:
        """What the last one printed that printed something: a program that is killed when all is done has no more to say."""
        return next((life.out for life in reversed(self.each) if life.out), "")

    @property
    def err(self) -> str:
        """What anything but durable_import said on stderr."""
        return "".join(life.err for life in self.each)


def life_variables(desk: Desk, moments: random.Random) -> dict[str, str]:
    """Variables of the environment of one life: a hash seed of its own, and where `world` notes the keys of effects."""
    return {"PYTHONHASHSEED": str(moments.randrange(1, 2**32)), "KEY_LOG": str(desk.folder / "keys")}


def check_keys(desk: Desk, wanted: Counter[str], runs: int | None = None) -> None:
    """Each key is of one effect, however often that was cut; each effect of a run has at most as many keys as times it is
    ``wanted``.

    ``runs``: how many there were, if no process can have started afresh: the keys of the lives of each begin alike.
    """
    effects, keys = defaultdict(set), defaultdict(set)
    for line in (desk.folder / "keys").read_text().splitlines():
        key, effect = line.split("\t")
        run = "/".join(key.split("/")[:-2])
        effects[key].add(effect)
        keys[run, effect].add(key)
    assert runs is None or len({run for run, _ in keys}) == runs
    assert {key: found for key, found in effects.items() if len(found) > 1} == {}
    assert {place: found for place, found in keys.items() if len(found) > wanted[place[1]]} == {}


def kill_at_random(desk: Desk, *arguments: str, moments: random.Random, kills: int, span: float) -> Lives:
    """Run a program to its end; on the way it is killed at most ``kills`` times, up to ``span`` s after it got going.

    A kill before the first checkpoint, or after the last one, makes the next process start afresh: only the lives since then
    are given.
    """
    before = len(desk.effects)
    lives: list[Finished] = []
    killed = 0
    while True:
        begun = len(desk.effects)
        running = desk.start(*arguments, variables=life_variables(desk, moments))
        if killed < kills:
            while "instance" not in running.err and running.process.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, span))
            running.send(signal.SIGKILL)
        life = running.end()
        if "starting instance" in life.said:
            lives, before = [], begun
        lives.append(life)
        killed += life.status == KILLED
        if life.status != KILLED:
            assert life.status == 0, f"after {killed} kills: {life}"
            return Lives(lives, Counter(desk.effects[before:]))
