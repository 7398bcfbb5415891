"""What native iterators are made over when they are restored, so that they are as they were and nothing runs again.

Each stays inside of a native iterator, where no program sees it; when that is saved, what has become of it is looked through.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from ...frames.hiding import hidden_from_tracebacks


class Exactly:
    """An iterable whose ``iter`` is the given iterator itself, even if that has no ``__iter__``."""

    __slots__ = ("iterator",)

    def __init__(self, iterator: Any) -> None:
        self.iterator = iterator

    def __iter__(self) -> Any:
        return self.iterator


class Prepended:
    """Yields ``first``, then what ``rest`` yields; takes no part any more once ``first`` is gone."""

    __slots__ = ("first", "rest")

    def __init__(self, first: Iterable[Any], rest: Any) -> None:
        self.first = deque(first)
        self.rest = rest

    def __iter__(self) -> Prepended:
        return self

    @hidden_from_tracebacks
    def __next__(self) -> Any:
        return self.first.popleft() if self.first else next(self.rest)

    def __reduce__(self) -> tuple[Any, ...]:
        return Prepended, (tuple(self.first), self.rest)


def unprepended(iterator: Any) -> tuple[list[Any], Any]:
    """What stands before an iterator by way of ``Prepended``, and the iterator."""
    first: list[Any] = []
    while type(iterator) is Prepended:
        first += iterator.first
        iterator = iterator.rest
    return first, iterator


class Keyed:
    """A key function whose first results are known."""

    __slots__ = ("function", "known")

    def __init__(self, function: Any) -> None:
        self.function = function
        self.known: deque[Any] = deque()

    @hidden_from_tracebacks
    def __call__(self, value: Any) -> Any:
        if self.known:
            return self.known.popleft()
        return value if self.function is None else self.function(value)


class Sized:
    """A sequence as ``reversed`` wants it, with a length of its own; items come from ``sequence``."""

    __slots__ = ("length", "sequence")

    def __init__(self, sequence: Any, length: int) -> None:
        self.sequence = sequence
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.sequence[index]
