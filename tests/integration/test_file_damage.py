"""Altered files of a disk store: they stop nobody else, and are told."""

from __future__ import annotations

import pytest

from tests.harness.file_damage import damage


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=[pytest.mark.slow] if seed else []) for seed in range(4)])
def test_whatever_stands_in_files(seed: int) -> None:
    """No raw error is raised, and the instances that nobody has altered are found and go on."""
    assert damage(20 if not seed else 150, seed) == []
