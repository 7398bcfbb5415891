"""Golden files: for each construct of the language, source in and rewritten text out."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.rewriting import GOLDEN, fast_text, plain_text, resume_text, sources

VARIANTS: dict[str, Callable[[bytes], str]] = {"plain": plain_text, "fast": fast_text, "resume": resume_text}
TOPICS = [path.stem for path in sources(GOLDEN, sys.version_info[:2])]


def difference(expected: str, actual: str, name: str) -> str:
    """A unified diff."""
    lines = difflib.unified_diff(expected.splitlines(), actual.splitlines(), name, "the rewriter today", lineterm="")
    return "\n".join(lines)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("topic", TOPICS)
def test_rewritten_text(topic: str, variant: str, pytestconfig: pytest.Config) -> None:
    """The rewritten text of each construct is what the golden file says, in every Python version."""
    source = (GOLDEN / f"{topic}.py").read_bytes()
    golden: Path = GOLDEN / f"{topic}.{variant}.txt"
    actual = VARIANTS[variant](source)
    if pytestconfig.getoption("--update-golden"):
        golden.write_text(actual)
    assert golden.exists(), f"{golden} is missing; make it with `pytest --update-golden`"
    assert actual == golden.read_text(), difference(golden.read_text(), actual, str(golden))


def test_every_golden_file_has_a_source() -> None:
    """No golden file outlives its source, and each source has all of them."""
    expected = {f"{path.stem}.{variant}.txt" for path in GOLDEN.glob("*.py") for variant in VARIANTS}
    assert {path.name for path in GOLDEN.glob("*.txt")} == expected
