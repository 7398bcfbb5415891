"""Pairs the suspensions of two texts of a function in order, and says which pairs are certain.

Forward and backward dynamic programming (Needleman and Wunsch, 1970), which together tell of each pair whether it is in some best
alignment: equal words count before an equal callee.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


class Alignment:
    """The best alignments of two sequences; ``weigh`` gives how much a pair is worth, 0 for one that cannot be."""

    def __init__(self, old: Sequence[T], new: Sequence[T], weigh: Callable[[T, T], int]) -> None:
        self._weights = [[weigh(one, other) for other in new] for one in old]
        self._rows, self._columns = len(old), len(new)
        self._before = self._forward()
        self._after = self._backward()
        self._best = self._after[0][0]

    def _forward(self) -> list[list[int]]:
        """What the beginnings of the sequences are worth, by their lengths."""
        table = [[0] * (self._columns + 1) for _ in range(self._rows + 1)]
        for i, weights in enumerate(self._weights):
            for j, weight in enumerate(weights):
                both = table[i][j] + weight if weight else 0
                table[i + 1][j + 1] = max(both, table[i][j + 1], table[i + 1][j])
        return table

    def _backward(self) -> list[list[int]]:
        """What the ends of the sequences are worth, by where they begin."""
        table = [[0] * (self._columns + 1) for _ in range(self._rows + 1)]
        for i in reversed(range(self._rows)):
            for j in reversed(range(self._columns)):
                weight = self._weights[i][j]
                both = table[i + 1][j + 1] + weight if weight else 0
                table[i][j] = max(both, table[i + 1][j], table[i][j + 1])
        return table

    def partners(self, i: int) -> list[int | None]:
        """The partners that an item of the old sequence has in the best alignments; None is among them if it may have none."""
        found: list[int | None] = []
        for j, weight in enumerate(self._weights[i]):
            if weight and self._before[i][j] + weight + self._after[i + 1][j + 1] == self._best:
                found.append(j)
        if any(self._before[i][j] + self._after[i + 1][j] == self._best for j in range(self._columns + 1)):
            found.append(None)
        return found

    def pairs(self) -> list[tuple[int, int]]:
        """All pairs that are in some best alignment."""
        return [(i, j) for i in range(self._rows) for j in self.partners(i) if j is not None]
