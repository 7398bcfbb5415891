"""Packages of others, rewritten by `install(modules=[...])` or left as they are, in programs that are killed at any moment."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.harness.chaos import kill_at_random
from tests.harness.crash import PROGRAMS
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

LIBRARIES = [PROGRAMS / "libraries" / f"{name}.py" for name in ("streams", "caches", "groups", "leaves")]


@pytest.mark.parametrize("path", LIBRARIES, ids=lambda path: path.stem)
def test_library_in_a_killed_program(desk: Desk, path: Path) -> None:
    """A program that uses a package of others prints what it prints natively, and causes the same effects."""
    expected = desk.native(str(path))
    assert expected.status == 0, expected
    wanted = set(desk.effects)
    for seed in range(2):
        lives = kill_at_random(desk, str(path), moments=random.Random(seed), kills=5, span=0.3)
        assert lives.print_all_of(expected.out), lives.each
        assert lives.err == ""
        assert lives.effects.keys() == wanted
        assert max(lives.effects.values()) <= 1 + lives.kills
