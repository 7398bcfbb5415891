"""A release strands no frame: every program goes on, at every checkpoint, with a rewriter that names and numbers otherwise."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.harness.programs import runnable_programs
from tests.harness.releases import ReleasingDriver, released
from tests.harness.rewriting import PROGRAMS, sources
from tests.harness.samples import one_in, sampled
from tests.harness.torture import native, observe

CONCURRENT = sources(PROGRAMS / "concurrent", sys.version_info[:2])


@pytest.mark.parametrize("path", one_in(10, sampled(runnable_programs())))
def test_another_release_goes_on(path: Path, log: Path) -> None:
    """What one release has saved another one goes on with, by turns: the native result by the native effects."""
    moved = ReleasingDriver.counts["frames"]
    assert observe(released, path, log) == observe(native, path, log)
    assert ReleasingDriver.counts["frames"] > moved


WHOLE, IN_SEGMENTS = (CONCURRENT, CONCURRENT) if os.environ.get("CRASH_ALL") else (CONCURRENT[::2], CONCURRENT[1::4])
TASKS = [*((path, "") for path in WHOLE), *((path, "ssws") for path in IN_SEGMENTS)]
EVERY = 1 if os.environ.get("CRASH_ALL") else 10  # one of so many runs by default
CASES = [
    pytest.param(path, forms, marks=[pytest.mark.slow] * (place % EVERY > 0), id=f"{path.stem}-{forms}")
    for place, (path, forms) in enumerate(TASKS)
]


@pytest.mark.parametrize(("path", "forms"), CASES)
def test_another_release_goes_on_with_tasks(path: Path, forms: str, log: Path) -> None:
    """The same of many tasks, in segments too: of these many are as the release before has written them."""
    result, effects = observe(native, path, log)
    found, repeated = observe(partial(released, forms=forms), path, log)
    assert (found, set(repeated)) == (result, set(effects))  # those in flight begin again
