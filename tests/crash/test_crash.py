"""Programs of tests/programs under `run`, killed with SIGKILL in the middle of every effect. All of them: CRASH_ALL=1."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.harness.crash import PROGRAMS, crash_torture
from tests.harness.programs import runnable_programs

#: One of each kind, the short ones.
SAMPLE = (
    "p004_chained_comparison",
    "p007_walrus",
    "p018_match_flow",
    "p026_finally_overrides",
    "p033_except_star",
    "p051_local_classes",
    "p056_async_generator_finally",
    "p060_yield_from",
    "p092_data_report",
    "p1034_cycles_through_frames",
    "p131_itertools_infinite",
    "p155_module_containers",
    "p162_dataclasses",
    "p221_generators_that_await",
    "p223_bare_yields_in_await",
)

#: Flushes what it prints: a kill repeats it.
REPEATING = ("p1043_process_objects",)


def chosen() -> list[Any]:
    """Every fourth one of the sample runs by default."""
    if os.environ.get("CRASH_ALL"):
        return [pytest.param(path, id=path.stem) for path in runnable_programs()]
    return [
        pytest.param(PROGRAMS / f"{name}.py", marks=[pytest.mark.slow] * (place % 4 > 0), id=name)
        for place, name in enumerate(SAMPLE)
    ]


@pytest.mark.parametrize("path", chosen())
def test_killed_in_every_effect(path: Path) -> None:
    """Killed in the middle of every effect, a program prints what it prints natively and causes each effect once per life."""
    crash_torture(path, repeats=path.stem in REPEATING)
