"""Programs of tests/programs/concurrent, killed with SIGKILL in the middle of effects. All of them: CRASH_ALL=1."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.harness.crash import PROGRAMS, concurrent_crash_torture, crash_torture
from tests.harness.rewriting import sources

CONCURRENT = sources(PROGRAMS / "concurrent", sys.version_info[:2])
CASES = [  # every fourth one of the sample runs by default
    pytest.param(path, marks=[pytest.mark.slow] * (place % 4 > 0), id=path.stem) for place, path in enumerate(CONCURRENT[::8])
]
if os.environ.get("CRASH_ALL"):
    CASES = [pytest.param(path, id=path.stem) for path in CONCURRENT]


@pytest.mark.parametrize("path", CASES)
def test_tasks_survive_a_kill_in_effects(path: Path) -> None:
    """SIGKILL in the middle of an effect, again and again: the native result, and no effect is lost."""
    concurrent_crash_torture(path)


@pytest.mark.slow
def test_code_before_a_wait_does_not_run_again() -> None:
    """A task that waited when it was restored goes on only after a commit, as any other does."""
    crash_torture(PROGRAMS / "concurrent" / "c112_woken_after_a_restart.py")
