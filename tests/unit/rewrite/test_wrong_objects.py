"""What syntax says of objects that lack what it asks of them: the words of plain Python, of the version that runs."""

from __future__ import annotations

import ast
import gc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.harness.torture import PROGRAMS, hard_torture, native, rewritten

PROGRAM = PROGRAMS / "protocols" / "wrong_objects.py"
RUNS: dict[str, Callable[[str, str], str]] = {
    "rewritten": rewritten, "plain": partial(rewritten, plain=True), "restored": hard_torture,
    "restored now and then": partial(hard_torture, every=3),
}  # fmt: skip


def results_of(run: Callable[[str, str], str], path: Path) -> dict[str, Any]:
    """What the program tells, by form and class."""
    found: dict[str, Any] = ast.literal_eval(run(path.read_text(), str(path)))
    return found


@pytest.fixture(autouse=True)
def _garbage_stays() -> Iterator[None]:
    """What the program drops is collected behind it: a coroutine warns, which not all code of the library lets it do."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("run", RUNS)
def test_complaints_are_the_interpreters(run: str) -> None:
    """Type, words, cause, context and lines of each error are native, also where the frame was saved and restored before."""
    expected, found = results_of(native, PROGRAM), results_of(RUNS[run], PROGRAM)
    assert {key: (found.get(key), told) for key, told in expected.items() if found.get(key) != told} == {}
