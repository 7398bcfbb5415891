"""Whether a frame has the variables that the code of today reads before it assigns them."""

from __future__ import annotations

from collections.abc import Collection
from types import CodeType
from typing import Any

from ..frames.liveness import live_at
from ..hook.code_table import CodeInfo, captured_names
from ..pythons.codes import nested_codes
from ..pythons.instructions import global_names, variables_of
from ..rewrite.analysis.names import is_hidden
from ..rewrite.analysis.scopes import mangled
from .binding import NOWHERE, Bound, bound_at


def obstacle(
    info: CodeInfo, label: int, names: Collection[str], cells: Collection[str], was_bound: Bound, defaults: Collection[str]
) -> str:
    """What keeps a frame from going on at a label of today's code: a sentence, or nothing.

    ``names``: the variables that it has, captured ones too; ``cells``: those that are captured, bound or not; ``was_bound``: what
    could be bound where it waits, in the code that it began with; ``defaults``: of the parameters that have one.
    """
    code = info.code
    for name in code.co_freevars:
        if name not in cells:
            return f"today's code takes {name!r} from the function around, and the frame does not have it"
    for name in names:
        if not is_hidden(name) and name not in variables_of(code) and _reads_global(code, name):
            return f"{name!r} is a variable of the frame, and a global one in today's code"
    today = bound_at(code, label)
    read = {*live_at(info, label), *captured_names(code)}
    for name in sorted(read & today.perhaps):
        if is_hidden(name) or name in names or name in code.co_freevars or name in defaults:
            continue
        if name in today.surely or name not in was_bound.perhaps:
            return f"today's code reads {name!r} there, and the frame does not have it"
    return ""


def _reads_global(code: CodeType, name: str) -> bool:
    return any(name in global_names(each) for each in (code, *nested_codes(code)))


def bound_in_old(code: CodeType | None, label: int, class_name: str | None) -> Bound:
    """What could be bound at a label of an old text, which was compiled outside of its class."""
    if code is None:
        return NOWHERE
    found = bound_at(code, label)
    return Bound(*(frozenset(mangled(name, class_name) for name in names) for names in found))


def defaults_of(function: Any) -> dict[str, Any]:
    """The parameters of a function that have a default, with it."""
    if function is None:
        return {}
    code, defaults = function.__code__, function.__defaults__ or ()
    found = dict(zip(code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount], defaults, strict=True))
    return found | (function.__kwdefaults__ or {})
