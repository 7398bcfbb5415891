"""Clients and pools that an application keeps in modules which are not marked: saved by name, since each process makes its own.

Those of marked modules are known by their names already. One in what stands at module level is found by its attributes and keys,
such as ``app.state.pool``.
"""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from durable_import.errors import MissingCodeError
from durable_import.holds.kinds import class_name, is_of_library

_DEPTH = 4  # names in a path: ``app.state._state.pool`` is what starlette shows as ``app.state.pool``
_LARGE = 1000  # more entries are data
_known: dict[int, tuple[str, str]] = {}  # by id: where an object was found; whether it is there still is looked up


def reduce_by_place(obj: Any) -> Any:
    """How an object at module level is saved; None for one that is at none."""
    place = place_of(obj)
    return None if place is None else (module_object, (*place, class_name(type(obj))))


def place_of(obj: Any) -> tuple[str, str] | None:
    """Module and path of an object at module level; None for others."""
    place = _known.get(id(obj))
    if place is None or _at(*place) is not obj:
        place = next(_places_of(obj), None)
        if place is not None:
            _known[id(obj)] = place
    return place


def module_object(module: str, path: str, name_of_class: str) -> Any:
    """What the application has at a place now. Raises MissingCodeError if that is nothing of the kind."""
    importlib.import_module(module)
    found = _at(module, path)
    if found is None:
        raise MissingCodeError(
            f"the saved state uses `{path}` of module {module!r}, a {name_of_class} that the application makes: it is not there "
            "in this process. Make it before the runtime goes on with its instances; the saved state is kept."
        )
    return found


def _at(module: str, path: str) -> Any:
    found: Any = sys.modules.get(module)
    for name in path.split("."):
        found = _parts_of(found).get(name)
    return found


def _places_of(obj: Any) -> Iterator[tuple[str, str]]:
    seen: dict[int, int] = {}
    for module, holder in list(sys.modules.items()):
        if type(holder) is not ModuleType or _is_of_library(module):
            continue
        for path in _paths_to(obj, vars(holder), _DEPTH, seen):
            yield module, path


def _paths_to(obj: Any, parts: dict[Any, Any], depth: int, seen: dict[int, int]) -> Iterator[str]:
    """Where an object is, with so many names at most; the shortest ones first. ``seen``: how deep was looked, by id."""
    named = [(name, value) for name, value in list(parts.items()) if isinstance(name, str) and "." not in name]
    yield from (name for name, value in named if value is obj)
    if depth > 1:
        for name, value in named:
            if type(value) is ModuleType:  # looked at by itself
                continue
            inner = _parts_of(value)
            if seen.get(id(inner), 0) < depth - 1 and 0 < len(inner) <= _LARGE and not name.startswith("__"):
                seen[id(inner)] = depth - 1
                yield from (f"{name}.{path}" for path in _paths_to(obj, inner, depth - 1, seen))


def _parts_of(value: Any) -> dict[Any, Any]:
    """The names in a module, the attributes of an object, or a dict itself."""
    if type(value) is dict:
        return value
    if issubclass(type(value), type):
        return {}
    try:
        parts = object.__getattribute__(value, "__dict__")
    except AttributeError:
        return {}
    return parts if type(parts) is dict else {}


_is_of_library = functools.cache(is_of_library)
