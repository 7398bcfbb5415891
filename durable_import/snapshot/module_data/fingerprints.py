"""Whether module-level data hold something else than before: told by a hash of what they hold, which keeps nothing alive.

Plain data are written by ``marshal``, the quickest way there is. Of anything else the structure is followed: containers and
instances of rewritten modules' classes; other objects count by what they are, not by what is in them.
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
            inner = None if is_lazy(each) else _inner(each, is_open)
            parts.append((id(kind), id(each) if inner is None else len(inner)))
            waiting += inner or ()
    return hash(tuple(parts))


def _inner(value: Any, is_open: Callable[[Any], bool]) -> list[Any] | None:
    """What an object holds; None if it counts by what it is."""
    if isinstance(value, dict):
        return [*dict.keys(value), *dict.values(value)]
    if isinstance(value, _SEQUENCES):
        return list(value)
    if isinstance(value, bytearray):
        return [bytes(value)]
    if type(value) is itertools.count:
        return [repr(value)]
    return [id(value), value.__getstate__()] if is_open(value) else None
