"""Type parameters and aliases, since Python 3.12, of which something was not evaluated: nothing of it is for a snapshot.

Those that were evaluated, and those of code that is not rewritten, are saved by their values: see ``wrappers``. Snapshots
call the functions here by their names in ``names``; the meaning of their arguments is part of the format.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ...hook.code_table import info_of
from ...pythons.type_parameters import gives_constraints, late_functions, make_alias, make_parameter
from ...rewrite.analysis.annotations import is_late

Reduced = tuple[Any, ...]


def reduce_late_alias(alias: Any) -> Reduced | None:
    """An alias that was not evaluated; None for others."""
    late = [function for function, is_evaluated in late_functions(alias) if not is_evaluated and _word(function)]
    return (late_alias, (alias.__name__, alias.__type_params__, late[0])) if late else None


def late_alias(name: str, parameters: tuple[Any, ...], evaluate: FunctionType) -> Any:
    """An alias that was not evaluated."""
    return make_alias(name, parameters, evaluate)


def reduce_late_variable(variable: Any) -> Reduced | None:
    """A type parameter of which something was not evaluated; None for others."""
    functions = [(_word(function), function, is_evaluated) for function, is_evaluated in late_functions(variable)]
    late = {word: function for word, function, is_evaluated in functions if word and not is_evaluated}
    known = {word: getattr(variable, word) for word, _, is_evaluated in functions if word and is_evaluated}
    return (late_variable, (type(variable).__name__, variable.__name__, late, known)) if late else None


def late_variable(kind: str, name: str, late: dict[str, FunctionType], known: dict[str, Any]) -> Any:
    """A type parameter of which something was not evaluated."""
    return make_parameter(kind, name, late, known)


def _word(function: FunctionType) -> str:
    """The attribute that a function evaluates; empty for one of code that is not rewritten."""
    info = info_of(function.__code__)
    if info is None or not is_late(info.place):
        return ""
    word = info.place.rpartition(".")[2].partition(" ")[0]
    if word == "<bound" and gives_constraints(function.__code__):
        return "__constraints__"
    return {"<bound": "__bound__", "<default": "__default__", "<value": "__value__"}[word]
