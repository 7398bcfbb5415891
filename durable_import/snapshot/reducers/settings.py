"""Reducers for managers that change a setting of the process: its folder, the standard streams, the warning filters.

What such a manager holds is only how the setting was before. It is saved together with how the setting is now, which is put
in place again when the snapshot is loaded; of several managers of one setting each saves the same, so order does not matter.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Callable
from pickle import PicklingError
from types import AsyncGeneratorType, GeneratorType
from typing import Any

from ...frames.capture import CREATED, FINISHED, parts_of
from ...hook.code_table import info_of
from ...pythons.library import WARNINGS_SHOWN, RedirectStream
from ..load_context import later
from .instances import reducer_for

Reduced = tuple[Any, ...]

_BY_NAME = ...


def restore_manager(cls: type) -> Any:
    """A manager without attributes."""
    return object.__new__(cls)


def fill_manager(manager: Any, state: tuple[dict[str, Any], Any]) -> None:
    """Give a manager its attributes; the setting follows once all is loaded."""
    attributes, setting = state
    manager.__dict__.update({name: WARNINGS_SHOWN[name] if value is _BY_NAME else value for name, value in attributes.items()})
    if setting is not None:
        later(_WAYS[_kind(manager)][1], manager, setting)


def _reduce_manager(manager: Any) -> Reduced:
    is_entered, _, read = _WAYS[_kind(manager)]
    setting = read(manager) if is_entered(manager) else None
    attributes = {name: _BY_NAME if value is WARNINGS_SHOWN.get(name, ...) else value for name, value in vars(manager).items()}
    return restore_manager, (type(manager),), (attributes, setting), None, None, fill_manager


def _kind(manager: Any) -> type:
    return next(kind for kind in _WAYS if isinstance(manager, kind))


def _set_folder(_: Any, folder: str) -> None:
    os.chdir(folder)


def _set_stream(manager: Any, stream: tuple[Any]) -> None:
    setattr(sys, manager._stream, stream[0])


def _filters(manager: Any) -> tuple[Any, ...]:
    module = manager._module
    shows = {"_showwarning": module.showwarning, "_showwarnmsg_impl": module._showwarnmsg_impl}
    return list(module.filters), {n: _BY_NAME if value is WARNINGS_SHOWN[n] else value for n, value in shows.items()}


def _set_filters(manager: Any, setting: tuple[Any, ...]) -> None:
    module = manager._module
    module.filters[:], shows = setting
    found = {name: WARNINGS_SHOWN[name] if value is _BY_NAME else value for name, value in shows.items()}
    module.showwarning, module._showwarnmsg_impl = found["_showwarning"], found["_showwarnmsg_impl"]
    module._filters_mutated()


Way = tuple[Callable[[Any], Any], Callable[[Any, Any], None], Callable[[Any], Any]]
# Whether a manager is entered, how to put its setting in place, how to read it.
_WAYS: dict[type, Way] = {
    contextlib.chdir: (lambda m: m._old_cwd, _set_folder, lambda _: os.getcwd()),
    RedirectStream: (lambda m: m._old_targets, _set_stream, lambda m: (getattr(sys, m._stream),)),
    warnings.catch_warnings: (lambda m: m._entered, _set_filters, _filters),
}


def reduce_generator_manager(manager: Any) -> Any:
    """What a function of ``contextlib.contextmanager`` gives: of code that is not rewritten it is refused.

    Such a manager is entered again on resume: what its code does on entering may concern the process. One of
    ``asynccontextmanager`` that was not entered is the call that made it.
    """
    generator: Any = getattr(manager, "gen", None)
    if isinstance(generator, AsyncGeneratorType):
        is_refused = parts_of(generator).state not in (CREATED, FINISHED)
    else:
        is_refused = isinstance(generator, GeneratorType)
    if generator is not None and is_refused and info_of(parts_of(generator).code) is None:
        raise PicklingError(f"a context manager of {generator.__qualname__!r}, which is not durable code")
    reducer = reducer_for(type(manager))
    return NotImplemented if reducer is None else reducer(manager)


TABLE: dict[type, Callable[[Any], Reduced]] = dict.fromkeys(
    (contextlib.chdir, contextlib.redirect_stdout, contextlib.redirect_stderr, warnings.catch_warnings), _reduce_manager
)
