"""What decorators made at module level, saved by its path: what they wrapped, and what their wrappers capture.

The module makes it again at each start. Where today other decorators stand over the function, or none, the path leads elsewhere:
so it is said of which function it is, and that is looked for among all that stand behind the same name. Where there is none, a
wrapper is one by its place in the source, around what was saved of its variables.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator
from types import BuiltinFunctionType, CellType, FunctionType, ModuleType
from typing import Any

from ...frames.capture import contents_of, is_bound
from ...frames.lookup import MISSING
from ...hook.code_table import info_of
from ...upgrades.renames import gone, new_place
from ..definitions.functions import build_function
from ..names import is_found_by_name
from .closures import Cell
from .modules import ATOMS, NEVER_DATA, ScriptData, data_of

CLOSURE, CONTENTS, WRAPPED = "__closure__", "cell_contents", "__wrapped__"
PARTS = (CellType, FunctionType)
_MOST = 64  # functions behind one name
# The place of a function. If it is one that was wrapped: also its digest and its variables. If it is one that captures: whether
# the contents of the variable are there, which functions it has in its variables, unless the variable is data, and its module.
Identity = tuple[Any, ...]


def wrapped_functions(module: str, cells: Iterable[Cell]) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a module that wrappers are around, by their paths: those which no name leads to."""
    for path, cell, is_rebound in cells:
        content = cell.cell_contents if not is_rebound and is_bound(cell) else None
        if type(content) is FunctionType:
            info = info_of(content.__code__)
            if info is not None and info.module.name == module and not is_found_by_name(content):
                yield f"{path}.{CONTENTS}", content


def reduced_part(value: Any, module: str, path: str, script: ScriptData | None) -> tuple[Identity, tuple[Any] | None] | None:
    """Which part of a decorated function a value with a path is, and its contents if it is a variable that has them; None if it
    is no such part."""
    parts = path.split(".")
    if type(value) is CellType and CLOSURE in parts[:-1] and parts[-1].isidentifier():
        holder = _at(module, parts[: -1 - parts[::-1].index(CLOSURE)])
        info = info_of(holder.__code__) if type(holder) is FunctionType else None
        if info is None:
            return None
        contents = (value.cell_contents,) if is_bound(value) and _is_kept(value.cell_contents, module, path, script) else None
        inner = None if _is_data(value, module, script) else _functions_in(holder)
        return (info.place, contents is not None, inner, info.module.name), contents
    if type(value) is FunctionType and parts[-1] in (WRAPPED, CONTENTS):
        info = info_of(value.__code__)
        if info is None or info.module.name != module:
            return None
        return (info.place, info.digest, _cells(value)), None
    return None


def _is_data(cell: CellType, module: str, script: ScriptData | None) -> bool:
    """Whether what a variable holds is data of the program, such as a counter: it is the same for all who know it."""
    data = data_of(script, module) if script is not None else None
    is_rebound = data is not None and any(each is cell and rebound for _, each, rebound in data.captured_cells())
    return is_rebound or (is_bound(cell) and not isinstance(cell.cell_contents, (*ATOMS, *NEVER_DATA, type, tuple, frozenset)))


def _functions_in(function: FunctionType) -> tuple[tuple[str, str], ...]:
    """What a wrapper is around: its captured functions of rewritten code, by variable and place."""
    held = contents_of(_cells(function)).items()
    found = ((name, info_of(each.__code__)) for name, each in held if type(each) is FunctionType)
    return tuple((name, info.place) for name, info in found if info is not None)


def _is_kept(content: Any, module: str, path: str, script: ScriptData | None, depth: int = 3) -> bool:
    """Whether what a variable holds can be saved, as far as is known without trying."""
    if isinstance(content, ATOMS):
        return not isinstance(content, (str, bytes)) or len(content) < 1024
    if type(content) in (tuple, frozenset):
        return depth > 0 and len(content) < 16 and all(_is_kept(each, module, path, None, depth - 1) for each in content)
    if isinstance(content, type):
        return is_found_by_name(content)
    if isinstance(content, FunctionType):
        has_state = content.__defaults__ or content.__kwdefaults__ or content.__dict__.keys() - {WRAPPED}
        return is_found_by_name(content) or (info_of(content.__code__) is not None and not has_state)
    if isinstance(content, BuiltinFunctionType):
        return type(content.__self__) is ModuleType and is_found_by_name(content)
    if isinstance(content, ModuleType):
        return type(content) is ModuleType
    if isinstance(content, logging.Logger):
        return True
    data = data_of(script, module) if script is not None else None
    return data is not None and path not in data.unsavable


def find_part(module: str, path: str, identity: Identity) -> Any:
    """The part of a decorated function; a new, empty variable if there is none such today, and its contents were saved.

    Raises MissingCodeError if they were not; for a function that is gone, or changed and is elsewhere, see ``build_function``.
    """
    parts = path.split(".")
    if parts[-1] in (WRAPPED, CONTENTS):
        return _wrapped(module, parts, *identity)
    end = len(parts) - 1 - parts[::-1].index(CLOSURE)
    variable = parts[end + 1]
    place, has_contents, inner, owner = identity
    for function in _candidates(module, parts[:end]):
        if _is_of(function, owner, place) and inner in (None, _functions_in(function)):
            cells = _cells(function)
            if variable in cells:
                return cells[variable]
    if not has_contents:
        raise gone(module, path, AttributeError(f"{variable!r} of a decorator's {place!r} is not there"))
    return CellType()


def _wrapped(module: str, parts: list[str], place: str, digest: str, cells: dict[str, CellType]) -> Any:
    found = next((each for each in _candidates(module, parts) if _is_of(each, module, place)), None)
    if found is not None:
        return found
    return build_function(module, place, digest, cells)


def fill_part(cell: CellType, contents: tuple[Any]) -> None:
    """Give a variable that is not there today what it held."""
    if not is_bound(cell):
        (cell.cell_contents,) = contents


def _is_of(function: FunctionType, module: str, place: str) -> bool:
    info = info_of(function.__code__)
    return info is not None and (info.module.name, info.place) in ((module, place), new_place(module, place))


def _at(module: str, parts: list[str]) -> Any:
    return next(_candidates(module, parts), None)


def _candidates(module: str, parts: list[str]) -> Iterator[FunctionType]:
    """The function at a path, then all that stand behind the name that it begins with."""
    first = next((i for i, part in enumerate(parts) if part in (CLOSURE, WRAPPED)), len(parts))
    found: Any = sys.modules.get(module)
    for part in parts[:first]:
        found = vars(found).get(part, MISSING) if isinstance(found, type) else getattr(found, part, MISSING)
        found = getattr(found, "__func__", found)
    base, rest = found, parts[first:]
    while rest and type(found) is FunctionType:
        step = 1 if rest[0] == WRAPPED else 3  # ``__closure__``, a variable, ``cell_contents``
        found = found.__dict__.get(WRAPPED) if step == 1 else contents_of(_cells(found)).get(rest[1])
        rest = rest[step:]
    if type(found) is FunctionType:
        yield found
    seen: set[int] = set()
    waiting = [base]
    while waiting and len(seen) < _MOST:
        each = waiting.pop(0)
        if type(each) is not FunctionType or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        waiting += [each.__dict__.get(WRAPPED), *contents_of(_cells(each)).values()]


def _cells(function: FunctionType) -> dict[str, CellType]:
    return dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
