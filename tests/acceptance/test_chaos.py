"""Programs of many tasks, killed with SIGKILL at random moments. All three hundred of them: CHAOS_ALL=1."""

from __future__ import annotations

import os
import random
from collections import Counter

from tests.acceptance.chaos import kill_at_random
from tests.acceptance.processes import Desk
from tests.harness.crash import PROGRAMS

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
        assert (lives.each[-1].out, lives.err) == (expected.out, "")
        assert lives.effects.keys() == wanted.keys()
        assert all(1 <= times <= 1 + lives.kills for times in lives.effects.values())
        killed += lives.kills
