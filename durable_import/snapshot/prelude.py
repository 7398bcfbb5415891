"""What a pickle begins with: the name of what finds names, and stand-ins for objects that are never asked how to be pickled.

Exact lists, dicts and the like never reach ``reducer_override``. Stand-ins that load as the objects themselves are pickled first;
then their places in the memo are given to the objects.
"""

from __future__ import annotations

import io
import pickle
from types import FunctionType
from typing import Any

from .names import MODULE, is_ours, reference_to, registered


class StandIn:
    """Loads as what a function gives for some arguments."""

    def __init__(self, find: Any, *place: Any) -> None:
        self.find = find
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return self.find, self.place


_REGISTERED = f"\x80\x02c{MODULE}\nregistered\nq\x000".encode("latin-1")  # the first object of the memo


def begin(pickler: Any, file: Any) -> None:
    """Begin a pickle that names what is of this package."""
    file.write(_REGISTERED)
    pickler.memo = {id(registered): (0, registered)}


class NamingPickler(pickle.Pickler):
    """Pickles functions and classes; those of this package by their names."""

    def reducer_override(self, obj: Any) -> Any:
        """How one is pickled."""
        return reference_to(obj) if isinstance(obj, (FunctionType, type)) and is_ours(obj) else NotImplemented


class Prelude:
    """Pickled stand-ins for containers: ``places`` say what each loads as (a function and its arguments); and ``others``.

    ``first``: a function and its arguments; what is to be called before.
    """

    def __init__(self, places: list[tuple[Any, ...]], others: tuple[Any, ...] = (), first: tuple[Any, ...] | None = None) -> None:
        stand_ins = [StandIn(*place) for place in places]
        file = io.BytesIO()
        pickler = NamingPickler(file, 2)  # which remembers no names of others: the memo stays small
        begin(pickler, file)
        pickler.dump([*([StandIn(*first)] if first is not None else []), *stand_ins, *others])
        self._data = file.getvalue()
        self._memo: dict[int, tuple[int, Any]] = pickler.memo.copy()
        self._indices = [self._memo.pop(id(stand_in))[0] for stand_in in stand_ins]
        self._filled: tuple[list[int] | None, Any] = None, None  # ids of containers, and a pickler with the memo for them

    def begin(self, pickler: Any, file: Any, containers: list[Any]) -> None:
        """Begin a pickle in which each of the containers is what was said of its place."""
        file.write(self._data)
        ids = list(map(id, containers))
        known, filled = self._filled
        if ids != known:
            filled = pickle.Pickler(io.BytesIO())
            places = zip(ids, self._indices, containers, strict=True)
            filled.memo = self._memo | {number: (index, container) for number, index, container in places}
            self._filled = ids, filled
        is_in_c = isinstance(pickler, pickle.Pickler)  # which copies the memo of another one more quickly than a dict
        pickler.memo = filled.memo if is_in_c else filled.memo.copy()
