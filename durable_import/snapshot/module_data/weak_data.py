"""Weak dictionaries and sets of imported modules, and ids as keys: entries belong to the state if it holds what they are about.

What an entry is about is the key of a ``WeakKeyDictionary``, the value of a ``WeakValueDictionary``, the item of a ``WeakSet``.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

from .fingerprints import fingerprint
from .modules import Content, is_plain_instance
from .reached import Reached

_FEW = 64
Entry = tuple[Any, Any]  # what it is about, and the rest

_met: dict[int, weakref.ref[Any]] = {}  # the containers, by id
_first: dict[tuple[int, int], tuple[weakref.ref[Any], int]] = {}  # what was there at first, by ids of container and object


class WeakData:
    """What is known of such entries.

    A module's own code makes those again that were there when the run began (or the module was found at the resume).
    """

    def __init__(self) -> None:
        self._passed_over: dict[int, weakref.ref[Any]] = {}
        self.reached = Reached()
        self.told: set[str] = set()  # names of what ``keyed_by_id_inside`` was said of

    def begin(self, containers: list[tuple[str, str, Any]]) -> None:
        """Note what the modules' own code has put there."""
        for _, _, container in containers:
            if _is_met_now(container):
                for about, rest in _entries_of(container):
                    _first[id(container), id(about)] = weakref.ref(about), _mark(rest)

    def pass_over(self, about: Any) -> None:
        """Save nothing of entries about an object any more."""
        self._passed_over[id(about)] = weakref.ref(about)

    def passed_over(self) -> dict[int, weakref.ref[Any]]:
        """What entries are not saved about, for ``pass_over_only``."""
        return dict(self._passed_over)

    def pass_over_only(self, passed_over: dict[int, weakref.ref[Any]]) -> None:
        """Save nothing about these, as it was once."""
        self._passed_over = passed_over

    def content(self, container: Any, is_other: Callable[[Any], bool]) -> Content | None:
        """What to save of a container. ``is_other``: whether entries about an object are saved otherwise."""
        _is_met_now(container)
        entries = [
            (about, rest)
            for about, rest in _entries_of(container)
            if not is_other(about) and self._is_saved(container, about, rest)
        ]
        return ("notes", container, as_items(container, entries)) if entries else None

    def _is_saved(self, container: Any, about: Any, rest: Any) -> bool:
        passed = self._passed_over.get(id(about))
        if passed is not None and passed() is about:
            return False
        first = _first.get((id(container), id(about)))
        if first is not None and first[0]() is about and first[1] == _mark(rest):
            return False
        return self.reached.object_of(id(about)) is about


def _is_met_now(container: Any) -> bool:
    """Whether a container is met for the first time in this process."""
    met = _met.get(id(container))
    if met is not None and met() is container:
        return False
    _met[id(container)] = weakref.ref(container)
    return True


def _mark(rest: Any) -> int:
    return fingerprint(rest, is_plain_instance)


def _entries_of(container: Any) -> Iterator[Entry]:
    if type(container) is weakref.WeakSet:
        yield from ((item, None) for item in list(container))
    elif type(container) is weakref.WeakKeyDictionary:
        yield from list(container.items())
    else:
        yield from ((value, key) for key, value in list(container.items()))


def as_items(container: Any, entries: list[Entry]) -> list[Any]:
    """What ``update`` of a container takes."""
    if type(container) is weakref.WeakSet:
        return [about for about, _ in entries]
    return entries if type(container) is weakref.WeakKeyDictionary else [(rest, about) for about, rest in entries]


def about_items(container: Any, items: list[Any]) -> list[Entry]:
    """The entries, of the items for ``update``."""
    if type(container) is weakref.WeakSet:
        return [(item, None) for item in items]
    return items if type(container) is weakref.WeakKeyDictionary else [(value, key) for key, value in items]


# --- ids as keys


def with_objects(content: Content, reached: Reached) -> Content:
    """The content of a dictionary, with objects of the state in the place of their ids that are keys."""
    how, target, saved = content
    if how == "refill" and isinstance(target, dict):
        marked = _marked(saved, reached)
        return content if marked is None else ("refill by id", target, marked)
    if how == "class":
        ((name, (kind, value)),) = saved.items()
        marked = _marked(value, reached) if kind == "dict" else None
        return content if marked is None else ("class", target, {name: ("dict by id", marked)})
    return content


def _marked(items: list[tuple[Any, Any]], reached: Reached) -> list[tuple[Any, Any, bool]] | None:
    """The items, each with whether its key is in the place of its id; None if there is no such key."""
    if not items or not (_may_be_id(items[0][0]) or _may_be_id(items[-1][0])):
        return None  # looking at all keys of all dictionaries would take as long as saving them
    found = [reached.object_of(key) if _may_be_id(key) else None for key, _ in items]
    if all(each is None for each in found):
        return None
    return [(key if each is None else each, value, each is not None) for (key, value), each in zip(items, found, strict=True)]


def keyed_by_id_inside(content: Content, reached: Reached) -> bool:
    """Whether a dictionary one level deeper has ids of objects of the state as keys, which stay as they are.

    Of large data only the first items are looked at.
    """
    how, _, saved = content
    inner: Any = ()
    if how == "refill" and saved and type(saved[0]) is tuple:
        inner = (item[-1] for item in saved[:_FEW] if type(item) is tuple and item)
    elif how == "attributes":
        inner = ((saved[0] if isinstance(saved, tuple) else saved) or {}).values()
    elif how == "value":
        inner = (saved,)
    return any(type(each) is dict and _marked(list(each.items()), reached) is not None for each in inner)


def _may_be_id(key: Any) -> bool:
    return type(key) is int and key > 1 << 20 and not key % 8
