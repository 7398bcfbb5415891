"""Functions of the standard library that a snapshot refers to, found in the version of Python that loads it.

A frame goes on where the same is awaited, with the same hidden variables: in the function of its place, or in one of those that
``pythons.waiting`` names for it.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable
from types import CellType, FunctionType
from typing import Any, NamedTuple

from ..errors import CodeChangedError, MissingCodeError
from ..hook.code_table import MODULES, CodeInfo, captured_names, find
from ..pythons.versions import NAMED
from ..pythons.waiting import CAPTURED, DEFAULTS, SAME_AWAIT, VARIABLES, alternatives, original
from .names import module_name, module_today

SUSPENDS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


class Place(NamedTuple):
    """Where a frame of the library waited: the label, the text of what was awaited there, and the hidden variables."""

    label: int
    awaited: str
    hidden: tuple[str, ...]


def place_of(info: CodeInfo, label: int, variables: Iterable[str]) -> Place:
    """Where a frame waits."""
    return Place(label, info.awaited[label], hidden_in(variables))


def hidden_in(variables: Iterable[str]) -> tuple[str, ...]:
    """The hidden ones among variables."""
    return tuple(sorted(name for name in variables if name[0] == "@"))


def identity_of(info: CodeInfo) -> tuple[str, str, str]:
    """What a function is found again by: module, place and digest."""
    module, place = original(info.module.name, info.place)
    return module_name(module), place, info.digest


def find_place(module: str, place: str, digest: str, where: Place) -> CodeInfo:
    """The function in which a frame goes on. Raises CodeChangedError if there is none."""
    module = module_today(module)
    known = [info for info in map(_known, alternatives(module, place)) if info is not None]
    for info in known:
        if info.digest == digest or _label_today(info, where) is not None:
            return info
    if not known:
        return find(module, place)  # which says what is missing
    raise _changed(known[0], where)


def _changed(info: CodeInfo, where: Place) -> CodeChangedError:
    return CodeChangedError(
        f"the saved state waits in {info.module.name}.{info.place} (at `await {where.awaited}`), which is written differently in "
        f"Python {NAMED}: resume with the Python version that it was saved by. The saved state is kept.",
        filename=info.module.path, lineno=info.code.co_firstlineno, function=info.place, digest="",
    )  # fmt: skip


def find_function(module: str, place: str, digest: str | None = None) -> CodeInfo:
    """A function that was saved by its place. Raises MissingCodeError and, for what is not the library's, CodeChangedError."""
    module = module_today(module)
    try:
        return find(module, place, digest)
    except MissingCodeError:
        found = next((info for info in map(_known, alternatives(module, place)[1:]) if info is not None), None)
        if found is None:
            raise
        return found


def find_suspending(module: str, place: str, digest: str) -> CodeInfo:
    """A function whose calls can be suspended: what had frames in one version may be an ordinary function in another."""
    info = find_function(module, place, digest)
    if info.code.co_flags & SUSPENDS:
        return info
    others = (each for each in map(_known, alternatives(module, place)[1:]) if each is not None)
    found = next((each for each in others if each.code.co_flags & SUSPENDS), None)
    if found is None:
        raise _changed(info, Place(0, place, ()))
    return found


def _known(place: tuple[str, str]) -> CodeInfo | None:
    module = MODULES.get(place[0])
    return module.by_place.get(place[1]) if module is not None else None


def go_on(info: CodeInfo, label: int, awaited: str, variables: dict[str, Any]) -> int:
    """The label at which a frame goes on in a function that was written differently; its variables become those of that one."""
    where = Place(label, awaited, hidden_in(variables))
    found = _label_today(info, where)
    if found is None:
        raise _changed(info, where)
    label = found
    names = zip(sorted(where.hidden, key=_role), sorted(hidden_in(info.live[label]), key=_role), strict=True)
    variables.update([(today, variables.pop(saved)) for saved, today in names])
    convert = SAME_AWAIT.get((where.awaited, info.awaited[label]))
    if convert is not None:
        convert(variables)
    convert = VARIABLES.get((info.module.name, info.place))
    if convert is not None:
        convert(variables)
    captured = captured_names(info.code)
    for name in info.code.co_varnames:
        if name[0] != "@" and name not in captured:
            variables.setdefault(name, None)  # one that the function did not have then
    return label


def _label_today(info: CodeInfo, where: Place) -> int | None:
    """Where a function awaits the same with hidden variables of the same roles: at the same label, or only there."""
    roles = sorted(map(_role, where.hidden))
    same = [
        label
        for label, text in info.awaited.items()
        if (text == where.awaited or (where.awaited, text) in SAME_AWAIT)
        and [role for role, _ in sorted(map(_role, hidden_in(info.live[label])))] == [role for role, _ in roles]
    ]
    if where.label in same:
        return where.label
    return same[0] if len(same) == 1 else None


def _role(name: str) -> tuple[str, int]:
    """What a hidden variable is for, and which of them it is."""
    match = re.fullmatch(r"(.*?)(\d*)", name)
    assert match is not None
    return match[1], int(match[2] or 0)


def closure_for(info: CodeInfo, cells: Any) -> tuple[CellType, ...]:
    """The cells of a function in its order; ``cells`` by name, or as they were saved once, without names."""
    order = info.code.co_freevars
    if not isinstance(cells, dict):
        names = CAPTURED.get((info.module.name, info.place), {}).get(len(cells), order)
        cells = dict(zip(names, cells, strict=True))
    return tuple(cells[name] if name in cells else cell_of(info.module.name) for name in order)


def is_library(module: str | None) -> bool:
    """Whether a module is one of the standard library whose code waits."""
    known = MODULES.get(module or "")
    return known is not None and known.is_library


def cell_of(module: str) -> CellType:
    """The cell of a variable that a function did not capture when it was saved."""
    return CellType(None) if is_library(module) else CellType()


def defaults_by_name(function: FunctionType) -> dict[str, Any]:
    """The defaults of a function by parameter."""
    code, defaults = function.__code__, function.__defaults__ or ()
    return dict(zip(code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount], defaults, strict=True))


def defaults_for(function: FunctionType, saved: Any) -> tuple[Any, ...] | None:
    """The defaults of a function of the library; ``saved`` by parameter, or as they were saved once, in their order."""
    if isinstance(saved, tuple):
        return saved
    code = function.__code__
    known = DEFAULTS.get((function.__globals__["__name__"], code.co_qualname), {}) | (saved or {})
    return tuple(known[name] for name in code.co_varnames[: code.co_argcount] if name in known) or None


def missing(module: str, name: str) -> MissingCodeError:
    """The error for an object of the standard library that this version of Python does not have."""
    return MissingCodeError(
        f"the saved state holds {module}.{name}, which Python {NAMED} does not have: resume with the Python version that it "
        "was saved by. The saved state is kept."
    )


def is_standard(module: str) -> bool:
    """Whether a module belongs to the standard library."""
    return module.partition(".")[0] in sys.stdlib_module_names
