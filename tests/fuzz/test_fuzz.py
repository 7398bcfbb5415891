"""Random programs run as natively when rewritten, and when their state is saved, dropped and restored at every leaf.

`FUZZ_SEEDS=0:5000 FUZZ_SIZE=40 pytest tests/fuzz` runs others than the default.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz.__main__ import seeds
from tests.fuzz.grammar import generate
from tests.fuzz.judges import JUDGES, Judge

SEEDS = seeds(os.environ.get("FUZZ_SEEDS", "0:300"))
SIZE = int(os.environ.get("FUZZ_SIZE", "8"))  # statements in a program, about
GROUP = 10  # programs that one test runs


def complaint(judge: Judge, mode: str, seed: int, folder: Path) -> str:
    """What is wrong with the program of a seed and how to make it small, or an empty string."""
    text = generate(seed, SIZE)
    wrong = judge(text)
    if not wrong:
        return ""
    path = folder / f"seed{seed}.py"
    path.write_text(text)
    shrink = f"python -m tests.fuzz.shrink {path} -- python -m tests.fuzz --mode {mode} --file"
    return f"seed {seed}, size {SIZE}: {wrong[:600]}\n  {shrink}"


@pytest.mark.parametrize("mode", ["rewritten", "torture"])
@pytest.mark.parametrize("first", SEEDS[::GROUP])
def test_random_programs(first: int, mode: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Result, effects in order, and silence are those of the native run."""
    judge = JUDGES[mode]()
    folder = tmp_path_factory.getbasetemp()
    group = range(first, min(first + GROUP, SEEDS.stop))
    found = [complaint(judge, mode, seed, folder) for seed in group]
    assert not any(found), "\n".join(filter(None, found))
