"""Classes and functions of the standard library that only some versions of Python have at the place by which they are saved."""

from __future__ import annotations

import importlib

Place = tuple[str, str]  # module, name in it

#: The places at which each is, in one version or another; the first that is there is right.
NAMES: tuple[tuple[Place, ...], ...] = (
    (("asyncio", "current_task"), ("_asyncio", "current_task")),  # since 3.12 in C
    (("asyncio.tasks", "_AsCompletedIterator"), ("durable_import.pythons.earlier", "_AsCompletedIterator")),  # since 3.13
    (("builtins", "frozendict"), ("durable_import.pythons.frozen", "frozendict")),  # since 3.15; see ``frozen``
)
#: Modules that have another name today.
MODULES = {"pathlib._local": "pathlib"}  # 3.13
_PLACES = {place: places for places in NAMES for place in places}


def place_today(module: str, name: str) -> Place:
    """Where to look for what was saved by a name."""
    places = _PLACES.get((module, name))
    if places is None:
        return MODULES.get(module, module), name
    return next(place for place in places if hasattr(importlib.import_module(place[0]), place[1]))
