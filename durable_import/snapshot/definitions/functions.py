"""Reducers for functions of rewritten code, by their place and cells; others are found by name, or see ``foreign_functions``.

Snapshots call the functions here by their names in ``names``; the meaning of their arguments is part of the format.
"""

from __future__ import annotations

from types import CellType, FunctionType
from typing import Any

from ...frames import restore
from ...hook.code_table import ITERABLE_COROUTINE, info_of, iterable_coroutine
from ...pythons.annotations import annotations_kept
from .. import library
from ..names import is_found_by_name, is_ours, reference_to
from .annotations import fill_annotations, reduce_late
from .foreign_functions import function_with, reduce_foreign_function
from .moved import function_today

FUNCTION_ATTRIBUTES = (
    "__defaults__", "__kwdefaults__", "__doc__", "__module__", "__name__", "__qualname__", "__type_params__",
)  # fmt: skip


def reduce_function(function: FunctionType) -> Any:
    """A function that its module and name do not lead to; NotImplemented for one that they do lead to."""
    info = info_of(function.__code__)
    if is_ours(function) and (info is None or info.module.is_library):
        return reference_to(function)
    late = reduce_late(function, info)
    if late is not None:
        return late
    if is_found_by_name(function):
        return NotImplemented
    if info is not None and info.module.version and "<locals>" not in info.place:
        return build_function, (*library.identity_of(info), {})  # its attributes are those of today's function
    state = {name: getattr(function, name) for name in FUNCTION_ATTRIBUTES if getattr(function, name, None)}
    state |= annotations_kept(function)
    if function.__dict__:
        state["__dict__"] = function.__dict__
    if function.__defaults__ and library.is_library(function.__globals__.get("__name__")):
        state["__defaults__"] = library.defaults_by_name(function)
    if info is None:
        return reduce_foreign_function(function, state, fill_function)
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    arguments = (*library.identity_of(info), cells)
    builder = build_generator_function if function.__code__.co_flags & ITERABLE_COROUTINE else build_function
    return builder, arguments, state, None, None, fill_function


def build_function(module: str, place: str, digest: str, cells: dict[str, CellType]) -> FunctionType:
    """A function of rewritten code by its place; of one that is made once, when the module runs, that very one."""
    info = function_today(module, place, digest, cells)
    if not cells and "<locals>" not in place and info.module.version:
        from ...upgrades.then import function_of
        from ...upgrades.versions import known_version

        return function_of(known_version(info.module.version), info)
    if not cells and "<locals>" not in place:
        existing = function_with(info.code, info.module.name)
        if existing is not None:
            return existing
    return restore.build_function(info, library.closure_for(info, cells))


def build_generator_function(module: str, place: str, digest: str, cells: dict[str, CellType]) -> FunctionType:
    """A function that ``types.coroutine`` has made, by its place."""
    info = iterable_coroutine(function_today(module, place, digest, cells))
    return restore.build_function(info, library.closure_for(info, cells))


def fill_function(function: FunctionType, state: dict[str, Any]) -> None:
    """Give a function its defaults, names and attributes."""
    function.__dict__.update(state.pop("__dict__", {}))
    fill_annotations(function, state)
    if isinstance(function, FunctionType) and library.is_library(function.__globals__.get("__name__")):
        state["__defaults__"] = library.defaults_for(function, state.get("__defaults__"))
    for name, value in state.items():
        if hasattr(function, name):  # a later Python has more of them
            setattr(function, name, value)
