"""Which objects the state of a program holds, for data that depend on it: entries of weak dictionaries, ids kept as keys.

A pickle tells what it holds when it is complete. So one that lacks such data is made first, and another one only if it held
an object that was not known to be held before.
"""

from __future__ import annotations

import weakref
from typing import Any


class Reached:
    """The objects that snapshots hold, as far as somebody asked. ``sought``: the ids of those not known to be held."""

    def __init__(self) -> None:
        self.sought: set[int] = set()
        self._known: dict[int, weakref.ref[Any]] = {}
        self._found: dict[int, Any] = {}

    def object_of(self, number: int) -> Any:
        """The object with an id that the state holds; None if it holds none that is known."""
        known = self._known.get(number)
        found = known() if known is not None else self._found.get(number)
        if found is None:
            found = self._found.get(number)
        if found is None:
            self.sought.add(number)
        return found

    def has_found(self, memo: dict[int, tuple[int, Any]]) -> bool:
        """Note what a pickle holds; whether that is more than was known."""
        found = {number: memo[number][1] for number in self.sought & memo.keys()}
        self.sought = set()
        self._found |= found
        for number, each in found.items():
            if type(each).__weakrefoffset__:
                self._known[number] = weakref.ref(each)
        return bool(found)

    def end(self) -> None:
        """The snapshot is made: keep nothing alive."""
        self._found, self.sought = {}, set()
        self._known = {number: known for number, known in self._known.items() if known() is not None}
