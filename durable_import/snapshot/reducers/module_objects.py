"""Clients and pools that an application keeps in modules which are not marked: saved by name, since each process makes its own.

Those of marked modules are known by their names already. One that an object of the application's own has, which stands at module
level itself, is found by its attribute.
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
        found = getattr(found, "__dict__", {}).get(name)
    return found


def _places_of(obj: Any) -> Iterator[tuple[str, str]]:
    for module, holder in list(sys.modules.items()):
        if type(holder) is not ModuleType or _is_of_library(module):
            continue
        for name, value in list(vars(holder).items()):
            if value is obj:
                yield module, name
            elif not isinstance(value, type) and not _is_of_library(type(value).__module__):
                attributes = getattr(value, "__dict__", None)
                if type(attributes) is dict:
                    yield from ((module, f"{name}.{part}") for part, each in list(attributes.items()) if each is obj)


_is_of_library = functools.cache(is_of_library)
