"""Whether module-level data hold something else than before, at any depth.

Plain data are written by ``marshal``, the quickest way there is. Of anything else the structure is followed: containers and
instances of rewritten modules' classes; other objects count by what they are, not by what is in them. A ``fingerprint`` keeps
nothing alive; a ``Structure`` is compared quickly, and keeps what the data held.
"""

from __future__ import annotations

import itertools
import marshal
from collections import deque
from collections.abc import Callable
from typing import Any

from ...pythons.modules import is_lazy

_ATOMS = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), type(NotImplemented), range)
_SEQUENCES = (list, tuple, set, frozenset, deque)
_MARSHAL = 2  # the last version of it that does not depend on how often an object is referred to


def plain_fingerprint(value: Any) -> int | None:
    """That of data that are plain at any depth; None for others."""
    try:
        return hash(marshal.dumps(value, _MARSHAL))
    except ValueError:
        return None


def fingerprint(value: Any, is_open: Callable[[Any], bool]) -> int:
    """That of anything. ``is_open``: whether an instance counts by its attributes."""
    plain = plain_fingerprint(value)
    return plain if plain is not None else _of_structure(value, is_open)


def _of_structure(value: Any, is_open: Callable[[Any], bool]) -> int:
    parts: list[Any] = []
    seen: dict[int, int] = {}
    kept: list[Any] = []  # so that their ids stay theirs
    waiting = [value]
    while waiting:
        each = waiting.pop()
        kind = type(each)
        if kind in _ATOMS:
            parts.append((kind, each))
        elif id(each) in seen:
            parts.append(seen[id(each)])
        else:
            seen[id(each)] = len(seen)
            kept.append(each)
            inner = None if is_lazy(each) else parts_in(each, is_open)
            parts.append((id(kind), id(each) if inner is None else len(inner)))
            waiting += inner or ()
    return hash(tuple(parts))


def parts_in(value: Any, is_open: Callable[[Any], bool]) -> list[Any] | None:
    """What an object holds; None if it counts by what it is."""
    kind = type(value)  # asking the value itself for its class may run its code
    if issubclass(kind, dict):
        return [*dict.keys(value), *dict.values(value)]
    if issubclass(kind, _SEQUENCES):
        return list(value)
    if issubclass(kind, bytearray):
        return [bytes(value)]
    if kind is itertools.count:
        return [repr(value)]
    return [id(value), value.__getstate__()] if is_open(value) else None


class Structure:
    """What something held that is not plain: each part that can change, with the ids of what was in it."""

    def __init__(self, value: Any, is_open: Callable[[Any], bool]) -> None:
        self._value = value
        self._kept: dict[int, Any] = {}  # so that their ids stay theirs
        self._dicts: list[tuple[dict[Any, Any], list[int], list[int]]] = []
        self._others: list[tuple[Callable[[Any], Any], Any, Any]] = []
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if id(each) not in self._kept:
                self._kept[id(each)] = each
                waiting += self._add(each, is_open)

    def _add(self, value: Any, is_open: Callable[[Any], bool]) -> list[Any]:
        """Note what a part holds; gives that."""
        kind = type(value)
        if kind in _ATOMS or is_lazy(value):
            return []
        if issubclass(kind, dict):
            self._dicts.append((value, _ids(dict.keys(value)), _ids(dict.values(value))))
            return [*dict.keys(value), *dict.values(value)]
        if issubclass(kind, (tuple, frozenset)):
            return list(value)
        if issubclass(kind, _SEQUENCES):
            self._others.append((_ids, value, _ids(value)))
            return list(value)
        if issubclass(kind, bytearray) or kind is itertools.count:
            self._others.append((repr, value, repr(value)))
        elif is_open(value):
            self._others.append((_ids_of_attributes, value, _ids_of_attributes(value)))
            return _attributes(value)
        return []

    def is_of(self, value: Any) -> bool:
        """Whether a value is the one that it was, and holds what it held."""
        return (
            value is self._value
            and all(
                [*map(id, dict.values(each))] == values and [*map(id, dict.keys(each))] == keys
                for each, keys, values in self._dicts
            )
            and all(read(part) == known for read, part, known in self._others)
        )


def _ids(values: Any) -> list[int]:
    return [*map(id, values)]


def _attributes(value: Any) -> list[Any]:
    state = value.__getstate__()
    attributes, slots = state if isinstance(state, tuple) else (state, None)
    return [each for held in (attributes, slots) if held for item in held.items() for each in item]


def _ids_of_attributes(value: Any) -> list[int]:
    return _ids(_attributes(value))
