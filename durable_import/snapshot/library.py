"""Functions of the standard library that a snapshot refers to, found in the version of Python that loads it.

A frame goes on where the same is awaited, with the same hidden variables: in the function of its place, or in one of those that
``pythons.waiting`` names for it.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Iterable
from types import CellType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import CodeChangedError, MissingCodeError
from ..hook.code_table import MODULES, CodeInfo, captured_names, find
from ..hook.program_version import qualified
from ..pythons.versions import NAMED
from ..pythons.waiting import CAPTURED, DEFAULTS, SAME_AWAIT, VARIABLES, alternatives, original
from ..rewrite.analysis.names import AWAITED
from .frame_places import check
from .names import module_name
from .new_names import missing_function, place_today, same_but_for_names

if TYPE_CHECKING:
    from ..rewrite.analysis.suspensions import Place

SUSPENDS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


# By what names begin with, until payload format 4; what "@x" is see ``_role_in``.
ROLES = {
    "@c": "group", "@e": "exception", "@i": "iterator", "@j": "subject", "@key": "key", "@m": "manager", "@n": "item",
    "@o": "outcome", "@result": "result", "@t": "operand", "@v": "entered", "@w": "going", "@z": "normal",
}  # fmt: skip


class Wait(NamedTuple):
    """Where a frame of the library waited: the suspension, the text of what was awaited there, and its hidden variables.

    They are given by name and role, each role in the order in which they came to be.
    """

    suspension: Place | int
    awaited: str
    hidden: tuple[tuple[str, str], ...]

    def roles(self) -> list[str]:
        """The roles of the variables."""
        return sorted(role for _, role in self.hidden)


def wait_of(suspension: Place | int, awaited: str, names: Iterable[str]) -> Wait:
    """Where a frame waited; ``names``: its variables, of which some are hidden ones."""
    if not isinstance(suspension, int):
        return Wait(suspension, awaited, tuple(hidden[:2] for hidden in suspension[2]))
    hidden = sorted((n for n in names if n[0] == "@" and n != AWAITED), key=lambda n: (len(n), n))
    return Wait(suspension, awaited, tuple((name, _role_in(name, hidden)) for name in hidden))


def _role_in(name: str, names: list[str]) -> str:
    """The role of one of the hidden variables of a frame, until payload format 4."""
    prefix = name.rstrip("0123456789")
    if prefix == "@x":
        return "leave" if name.replace(prefix, "@m") in names else "advance"
    return ROLES[prefix]


def identity_of(info: CodeInfo) -> tuple[str, str, str]:
    """What a function is found again by: module, place and digest."""
    module, place = _place_of(info.module.name, info.place)
    return qualified(info, module), place, info.digest


@functools.lru_cache(maxsize=1024)
def _place_of(module: str, place: str) -> tuple[str, str]:
    module, place = original(module, place)
    return module_name(module), place


def find_place(module: str, place: str, digest: str, where: Wait) -> CodeInfo:
    """The function in which a frame goes on. Raises CodeChangedError if there is none."""
    module, place = place_today(module, place)
    known = [info for info in map(_known, alternatives(module, place)) if info is not None]
    for info in known:
        if info.digest == digest or _label_today(info, where) is not None:
            return info
    if not known:
        return find(module, place)  # which says what is missing
    raise _changed(known[0], where)


def _changed(info: CodeInfo, where: Wait) -> CodeChangedError:
    return CodeChangedError(
        f"the saved state waits in {info.module.name}.{info.place} (at `await {where.awaited}`), which is written differently in "
        f"Python {NAMED}: resume with the Python version that it was saved by. The saved state is kept.",
        filename=info.module.path,
        lineno=info.code.co_firstlineno,
        function=info.place,
        digest="",
    )


def find_function(module: str, place: str, digest: str | None = None) -> CodeInfo:
    """A function that was saved by its place. Raises MissingCodeError and, for what is not the library's, CodeChangedError.

    One that differs in names alone which the program has said is found with the digest that it had.
    """
    module, place = place_today(module, place)
    try:
        return find(module, place, digest)
    except CodeChangedError:
        found = same_but_for_names(module, place, digest)
        if found is None:
            raise
        return found
    except MissingCodeError as error:
        found = next((info for info in map(_known, alternatives(module, place)[1:]) if info is not None), None)
        if found is None:
            raise missing_function(module, place, digest, error) from error
        return found


def find_suspending(module: str, place: str, digest: str) -> CodeInfo:
    """A function whose calls can be suspended: what had frames in one version may be an ordinary function in another."""
    info = find_function(module, place, digest)
    if info.code.co_flags & SUSPENDS:
        return info
    others = (each for each in map(_known, alternatives(module, place)[1:]) if each is not None)
    found = next((each for each in others if each.code.co_flags & SUSPENDS), None)
    if found is None:
        raise _changed(info, Wait(0, place, ()))
    return found


def _known(place: tuple[str, str]) -> CodeInfo | None:
    module = MODULES.get(place[0])
    return module.by_place.get(place[1]) if module is not None else None


def go_on(info: CodeInfo, where: Wait, variables: dict[str, Any]) -> int:
    """The label at which a frame goes on in a function that was written differently; its variables become those of that one."""
    label = _label_today(info, where)
    if label is None:
        raise _changed(info, where)
    names = zip(sorted(where.hidden, key=_role), sorted(info.suspensions[label][2], key=_role), strict=True)
    variables.update([(today[0], variables.pop(saved[0])) for saved, today in names])
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
    check(info, label, variables)
    return label


def _label_today(info: CodeInfo, where: Wait) -> int | None:
    """Where a function awaits the same with hidden variables of the same roles: at the same suspension, or only there."""
    roles = where.roles()
    same = [
        label
        for label, text in info.awaited.items()
        if (text == where.awaited or (where.awaited, text) in SAME_AWAIT)
        and sorted(role for _, role, _ in info.suspensions[label][2]) == roles
    ]
    for label in same:
        if where.suspension in (label, info.suspensions[label]):
            return label
    return same[0] if len(same) == 1 else None


def _role(hidden: tuple[str, ...]) -> str:
    return hidden[1]


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
