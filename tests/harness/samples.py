"""Which cases of a long list run by default; the others are marked as slow."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")


def one_in(number: int, programs: Sequence[Path]) -> list[Any]:
    """Cases for ``parametrize``: of so many programs one runs by default."""
    return [pytest.param(path, marks=[pytest.mark.slow] * (n % number > 0), id=path.stem) for n, path in enumerate(programs)]


def sampled(programs: Sequence[T]) -> Sequence[T]:
    """One of four, or all of them with TORTURE_ALL=1: what torture is repeated with, in another way than the first."""
    return programs if os.environ.get("TORTURE_ALL") else programs[::4]


def halves(items: Sequence[pytest.Item]) -> tuple[list[pytest.Item], list[pytest.Item]]:
    """The tests in two parts: of each test that has several cases every other one is in each, all others are in both."""
    first: list[pytest.Item] = []
    second: list[pytest.Item] = []
    numbers: dict[str, int] = {}
    for item in items:
        if not hasattr(item, "callspec"):
            first.append(item)
            second.append(item)
            continue
        test = item.nodeid.partition("[")[0]
        numbers[test] = numbers.get(test, len(numbers)) + 1  # those with an odd number of cases take turns
        (first, second)[numbers[test] % 2].append(item)
    return first, second


def mark_further_cases(items: Sequence[pytest.Item]) -> None:
    """Of each test that has several cases the first one that is not slow runs by default."""
    seen: set[tuple[str, str]] = set()
    for item in items:
        if isinstance(item, pytest.Function) and hasattr(item, "callspec") and item.get_closest_marker("slow") is None:
            test = item.nodeid.partition("[")[0], item.originalname
            if test in seen:
                item.add_marker(pytest.mark.slow)
            seen.add(test)
