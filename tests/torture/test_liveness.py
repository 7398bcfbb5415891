"""Every program goes on without the variables that nothing reads any more, left out at every await."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.harness.programs import runnable_programs
from tests.harness.rewriting import PROGRAMS, sources
from tests.harness.samples import one_in, sampled
from tests.harness.torture import hard_torture, native, observe, without_dead_variables

CONCURRENT = sources(PROGRAMS / "concurrent", sys.version_info[:2])


@pytest.mark.parametrize("path", one_in(10, sampled(runnable_programs())))
def test_a_program_needs_no_dead_variables(path: Path, log: Path) -> None:
    """It gives the native result by the native effects when dead variables are dropped with each state."""
    expected = observe(native, path, log)
    with without_dead_variables():
        assert observe(hard_torture, path, log) == expected


@pytest.mark.parametrize("path", one_in(10, sampled(CONCURRENT)))
def test_tasks_need_no_dead_variables(path: Path, log: Path) -> None:
    """The same of many tasks, those of asyncio's own functions included."""
    result, effects = observe(native, path, log)
    with without_dead_variables() as dropped:
        found, repeated = observe(hard_torture, path, log)
    assert (found, set(repeated)) == (result, set(effects))  # those in flight begin again
    assert dropped
