"""Which pairs of two sequences are certain."""

from __future__ import annotations

import pytest

from durable_import.upgrades.align import Alignment


def partners(old: str, new: str, i: int) -> list[int | None]:
    """Letters are callees; capital ones have other words."""
    least = len(old) + len(new) + 1
    weigh = lambda one, other: 0 if one.lower() != other.lower() else least if one == other else 1  # noqa: E731
    return Alignment(old, new, weigh).partners(i)


@pytest.mark.parametrize(
    ("old", "new", "i", "expected"),
    [
        ("abc", "abc", 1, [1]),
        ("ab", "xab", 0, [1]),  # something new before
        ("ab", "ba", 0, [0 + 1, None]),  # swapped: either of the two keeps its order
        ("aa", "aaa", 0, [0, 1]),  # which is new?
        ("aa", "aa", 1, [1]),
        ("aba", "aca", 2, [2]),
        ("ab", "b", 0, [None]),
        ("a", "A", 0, [0]),  # other arguments
        ("a", "Aa", 0, [1]),  # the same words before the same callee
        ("aA", "A", 1, [0]),
        ("aab", "ab", 0, [0, None]),
    ],
)
def test_partners(old: str, new: str, i: int, expected: list[int | None]) -> None:
    """All partners in the best alignments, and none beside them if one of these leaves it alone."""
    assert partners(old, new, i) == expected


def test_nothing_to_pair() -> None:
    """An empty new text has no partner."""
    assert partners("a", "", 0) == [None]
    assert Alignment("", "a", lambda *_: 1).pairs() == []
