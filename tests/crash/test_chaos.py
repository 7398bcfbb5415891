"""Programs of many tasks, killed with SIGKILL at random moments, each life with a hash seed of its own.

Each key is of one effect. All three hundred of them: CHAOS_ALL=1.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections import Counter

import pytest

from tests.harness.chaos import check_keys, kill_at_random, life_variables
from tests.harness.crash import PROGRAMS
from tests.harness.processes import KILLED, Desk

pytestmark = pytest.mark.slow

CHAOS = PROGRAMS / "chaos"
KILLS = 300 if os.environ.get("CHAOS_ALL") else 40


def test_two_hundred_tasks_over_shared_state(desk: Desk) -> None:
    """Two hundred tasks killed at any moment end as natively; no effect is lost, none happens more often than it was cut."""
    program = str(CHAOS / "crowd.py")
    expected = desk.native(program)
    wanted = Counter(desk.effects)
    assert len(wanted) == 300
    moments = random.Random(1)
    killed = 0
    while killed < KILLS:
        lives = kill_at_random(desk, program, moments=moments, kills=min(12, KILLS - killed), span=0.25)
        assert (lives.result, lives.err) == (expected.out, "")
        assert lives.effects.keys() == wanted.keys()
        assert all(1 <= times <= 1 + lives.kills for times in lives.effects.values())
        killed += lives.kills
    check_keys(desk, wanted)


@pytest.fixture
def site(desk: Desk) -> str:
    """The port of a web site that is served by a process of its own."""
    server = desk.start_command([sys.executable, str(CHAOS / "site_server.py")])
    server.wait_until(lambda: server.out.endswith("\n"))
    return server.out.strip()


def test_crawler_of_a_web_site(desk: Desk, site: str) -> None:
    """A crawler killed at any moment gets the pages that it gets natively, with as few requests at a time."""
    program = str(CHAOS / "crawler.py")
    expected = desk.native(program, site)
    assert expected.status == 0
    assert expected.out.count("/page/") == 120
    moments = random.Random(2)
    for _ in range(max(2, KILLS // 20)):
        lives = kill_at_random(desk, program, site, moments=moments, kills=10, span=0.15)
        assert lives.print_all_of(expected.out), lives.each
        assert lives.err == ""


def test_module_level_data_of_an_imported_module(desk: Desk) -> None:
    """What tasks wait for, and change, at module level of an imported marked module is as it was after each kill."""
    program = str(CHAOS / "desk.py")
    expected = desk.native(program)
    assert expected.status == 0, expected
    wanted = Counter(desk.effects)
    for seed in range(max(2, KILLS // 20)):
        lives = kill_at_random(desk, program, moments=random.Random(seed), kills=8, span=0.15)
        assert lives.print_all_of(expected.out), lives.each
        assert lives.err == ""
        assert lives.effects.keys() == wanted.keys()
        assert max(lives.effects.values()) <= 1 + lives.kills
    check_keys(desk, wanted)


def test_waits_for_primitives_that_are_made_again(desk: Desk) -> None:
    """Where the data of modules are not saved, a task waits again for the lock or event that the module has made again."""
    program = [sys.executable, str(CHAOS / "embedded.py")]
    whole = desk.start_command([*program, "sqlite:///whole.db"]).end()
    assert whole.status == 0, whole
    wanted = Counter(desk.effects)
    runs = max(3, KILLS // 20)
    for seed in range(runs):
        command, before, moments = [*program, f"sqlite:///{seed}.db"], len(desk.effects), random.Random(seed)
        for _ in range(2):  # in the middle of the first effect
            first = desk.start_command(command, KILL_AT=str(len(desk.effects) + 1), **life_variables(desk, moments)).end()
            assert first.status == KILLED
        for _ in range(6):
            running = desk.start_command(command, **life_variables(desk, moments))
            while "instance" not in running.out and running.process.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.uniform(0, 0.25))
            running.send(signal.SIGKILL)
            running.end()
        last = desk.start_command(command, **life_variables(desk, moments)).end()
        assert (last.status, last.out) == (whole.status, whole.out)  # what has held is told, where it has
        assert set(desk.effects[before:]) == wanted.keys()
    check_keys(desk, wanted, runs)
