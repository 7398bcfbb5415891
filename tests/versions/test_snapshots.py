"""A snapshot that one Python has saved goes on under each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.versions.matrix import NAMES, Matrix, failures, paths, table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def matrix() -> Iterator[Matrix]:
    """A process of each Python."""
    matrix = Matrix()
    yield matrix
    matrix.end()


@pytest.mark.parametrize("program", paths(NAMES), ids=lambda path: path.stem)
def test_snapshots_go_on_under_each_python(program: Path, matrix: Matrix) -> None:
    """From several places of a program, what each Python saved gives the native result under each."""
    outcomes = matrix.outcomes(program)
    assert not failures(outcomes), "\n".join(["", *table(outcomes), *failures(outcomes)])
