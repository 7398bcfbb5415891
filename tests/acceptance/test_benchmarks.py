"""``python -m benchmarks``."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True)


@pytest.mark.slow
def test_a_section_gives_rows_of_the_table() -> None:
    """What a section measures comes out as rows with all columns, after what it was measured on."""
    done = benchmarks("many_instances", "--runs", "1")
    assert done.returncode == 0, done.stderr
    conditions, _, head, _, *rows = done.stdout.splitlines()
    assert f"Python {sys.version.split()[0]}" in conditions
    assert head == "| what | measured | ratio | target | met |"
    assert len(rows) == 1
    for row in rows:
        what, measured, ratio, target, met = row.strip("| ").split(" | ")
        assert "1,000 instances" in what
        assert " / " in measured
        assert float(ratio) > 0
        assert target == ">= 5"
        assert met in ("yes", "no")


def test_an_unknown_section_is_refused() -> None:
    """The error names the sections that there are."""
    done = benchmarks("speed")
    assert done.returncode == 2
    assert "there is no section 'speed': choose from" in done.stderr
    assert "many_instances" in done.stderr
