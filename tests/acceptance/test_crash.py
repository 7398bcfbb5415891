"""Programs of tests/programs under `run`, killed with SIGKILL in the middle of every effect. All of them: CRASH_ALL=1."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.acceptance.programs import runnable_programs
from tests.harness.crash import PROGRAMS, crash_torture

#: One of each kind, as short as can be.
SAMPLE = ()


def chosen() -> list[Path]:
    return runnable_programs() if os.environ.get("CRASH_ALL") else [PROGRAMS / f"{name}.py" for name in SAMPLE]


@pytest.mark.parametrize("path", chosen(), ids=lambda path: path.stem)
def test_killed_in_every_effect(path: Path) -> None:
    """Killed in the middle of every effect, a program prints what it prints natively and causes each effect once per life."""
    crash_torture(path)
