"""Random programs run as natively when rewritten, and when their state is saved, dropped and restored at their steps.

`FUZZ_SEEDS=0:5000 FUZZ_SIZE=40 pytest tests/fuzz` runs others than the default, with `FUZZ_REPLACED=0` at every step also of
the programs that have very many; `pytest -m slow tests/fuzz` those of the default that take long.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz.__main__ import seeds
from tests.fuzz.concurrency import KINDS
from tests.fuzz.grammar import generate
from tests.fuzz.judges import JUDGES, Judge

SEEDS = seeds(os.environ.get("FUZZ_SEEDS", "0:100"))
ALL = "FUZZ_SEEDS" in os.environ  # else the first group runs by default
SEEDS_OF_TASKS = seeds(os.environ.get("FUZZ_SEEDS", "10:25"))  # of programs of many tasks
SEEDS_OF_EDITS = seeds(os.environ.get("FUZZ_SEEDS", "0:5"))  # of programs that are edited while they run
SIZE = int(os.environ.get("FUZZ_SIZE", "8"))  # statements in a program, about
GROUP = 5  # programs that one test runs


def groups(seeds: range) -> list[Any]:
    """The first seed of each group of programs; those that do not run by default are marked as slow."""
    return [pytest.param(first, marks=[] if ALL or first == seeds.start else pytest.mark.slow) for first in seeds[::GROUP]]


def complaint(judge: Judge, mode: str, seed: int, folder: Path, kind: str = "one") -> str:
    """What is wrong with the program of a seed and how to make it small, or an empty string."""
    text = generate(seed, SIZE, (), kind)
    wrong = judge(text)
    if not wrong:
        return ""
    path = folder / f"{kind}{seed}.py"
    path.write_text(text)
    shrink = f"python -m tests.fuzz.shrink {path} -- python -m tests.fuzz --mode {mode} --file"
    return f"seed {seed}, size {SIZE}, kind {kind}: {wrong[:600]}\n  {shrink}"


def complaints(seeds: range, first: int, mode: str, folder: Path, kind: str = "one") -> list[str]:
    """What is wrong with the programs of a group."""
    judge = JUDGES[mode]()
    group = range(first, min(first + GROUP, seeds.stop))
    return [found for seed in group if (found := complaint(judge, mode, seed, folder, kind))]


@pytest.mark.parametrize("mode", ["rewritten", "plain", "torture", "exchanged"])
@pytest.mark.parametrize("first", groups(SEEDS))
def test_random_programs(first: int, mode: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Result, effects in order, and silence are those of the native run."""
    found = complaints(SEEDS, first, mode, tmp_path_factory.getbasetemp())
    assert not found, "\n".join(found)


@pytest.mark.parametrize("mode", ["torture", "segments"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("first", groups(SEEDS_OF_TASKS))
def test_random_programs_of_many_tasks(first: int, kind: str, mode: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The same of programs of many tasks, as far as asyncio and their effects leave nothing open."""
    found = complaints(SEEDS_OF_TASKS, first, mode, tmp_path_factory.getbasetemp(), kind)
    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["moved", "pinned", "changed"])
@pytest.mark.parametrize("first", SEEDS_OF_EDITS[::GROUP])
def test_random_edits(first: int, mode: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Pinned, a program ends as in its old text; moved, it ends so, too, or as the new one from there on, or is refused."""
    found = complaints(SEEDS_OF_EDITS, first, mode, tmp_path_factory.getbasetemp())
    assert not found, "\n".join(found)
