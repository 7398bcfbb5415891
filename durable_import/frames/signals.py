"""Signals that unwind frames without ending them, and values that mark something. Private: programs never see them."""

from __future__ import annotations


class Marker:
    """A value recognised by identity, also after it was saved."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return self is other  # so that what it is compared with is not asked: it may say that it equals anything

    __hash__ = object.__hash__


NO_MORE = Marker("NO_MORE")  # the sentinel of wrapped iterators: no user value
PRIMED = Marker("PRIMED")  # what a restored generator yields once, to get to where it was


class Suspension(BaseException):
    """Thrown into a frame to drop it: rewritten ``except`` and ``finally`` blocks let it pass."""
