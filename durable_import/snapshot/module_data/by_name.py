"""How a name leads to an object at module level, today."""

from __future__ import annotations

import importlib
import sys
from types import FunctionType, MappingProxyType
from typing import Any

from ...errors import MissingCodeError
from ...frames.lookup import MISSING
from ...upgrades.kept import VersionAsked
from ...upgrades.renames import gone, missing_module, new_place
from ..names import module_today
from .closures import Captured
from .decorated import Identity, find_part
from .gone_data import object_then
from .shared_locks import Step, follow


def resolve(module: str, name: str, steps: tuple[Step, ...] = (), part: Identity | None = None) -> Any:
    """The object that a module has under a name today; a name such as ``f.__defaults__.0`` leads on from there.

    A captured variable that is captured in another Python version only is a cell of its own. ``steps``: see ``shared_locks``;
    ``part``: which part of a decorated function it is, see ``decorated``.
    """
    module = module_today(module)
    if part is not None:
        return find_part(module, name, part)
    try:
        found = _found(module, name)
    except (AttributeError, ImportError, LookupError) as error:
        today = new_place(module, name)
        if today != (module, name):
            found = _found(*today)
        elif isinstance(error, AttributeError) and name.isidentifier():
            missing = gone(module, name, error)
            found = object_then(module, name, missing)
            if found is MISSING:
                raise missing from error
        elif missing_module(module, error):
            raise gone(module, name, error) from error
        else:
            raise
    return follow(found, steps, (module, name)) if steps else found


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module) or importlib.import_module(module)
    for part in name.split("."):
        if part == "__wrapped__" and _is_bare(found, name):
            continue
        if type(found) is Captured:
            found = found.cell(part)
        elif part == "__closure__":
            found = Captured(found)
        elif part.isdecimal():
            found = found[int(part)]
        else:
            found = found[part] if type(found) in (dict, MappingProxyType) else getattr(found, part)
    return found


def _is_bare(found: Any, name: str) -> bool:
    """Whether what a decorator had wrapped stands there by itself today: that decorator is gone."""
    is_function = type(found) is FunctionType and "__wrapped__" not in found.__dict__
    return is_function and name.startswith(f"{found.__qualname__}.")


def resolve_or_none(module: str, name: str) -> Any:
    """As ``resolve``; a container that is gone is missed only by what refers to it."""
    try:
        return resolve(module, name)
    except (AttributeError, ImportError, LookupError, MissingCodeError, VersionAsked):
        return None


def data_today(module: str, name: str) -> tuple[str, str]:
    """Module and name of what a module has had under a name: the same if they are there, or if nothing else was said."""
    today = new_place(module, name)
    if today == (module, name):
        return today
    try:
        is_there = hasattr(importlib.import_module(module), name)
    except ImportError:
        is_there = False
    return (module, name) if is_there else today
