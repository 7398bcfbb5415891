"""All that is asked before a frame goes on in code that is not the one it began with."""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import lru_cache
from typing import TYPE_CHECKING

from ..frames.liveness import live_at
from ..hook.code_table import CodeInfo, source_of
from ..pythons.codes import nested_codes
from ..pythons.instructions import variables_of
from ..rewrite.analysis.names import is_hidden
from .plan import CannotMoveError, Move, plan_move
from .renames import former_names
from .texts import FunctionText, UnreadableTextError, old_text, text_of_today
from .variables import bound_in_old, obstacle

if TYPE_CHECKING:
    from ..rewrite.analysis.suspensions import Place

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def plan_frame(
    text: str,
    digest: str,
    info: CodeInfo,
    place: Place,
    names: Collection[str],
    cells: Collection[str],
    defaults: Collection[str],
) -> Move:
    """How a frame of an old text goes on in a function of today. Raises CannotMoveError.

    ``names``: the variables that it has, hidden and captured ones too; ``cells``: the captured ones, bound or not; ``defaults``:
    the parameters of today's function that have one.
    """
    new = today_of(info)
    try:
        old = old_of(text, digest, new.class_name)
    except UnreadableTextError as error:
        raise CannotMoveError(f"the text that it began with cannot be read ({error})", text.strip().partition("\n")[0]) from None
    if not isinstance(old.node, DEFINITIONS) or type(old.node) is not type(new.node):
        raise CannotMoveError("only frames of `def` and `async def` go on in new code", *_first_lines(old, new))
    if old.is_generator != new.is_generator:
        raise CannotMoveError("a function became a generator, or a generator a function", *_first_lines(old, new))
    point = old.point_at(place)
    move = plan_move(old, new, place, [name for name in names if is_hidden(name)], lambda label: live_at(info, label))
    assert point is not None  # else it could not be planned
    was_bound = bound_in_old(old.code, point.label, new.class_name)
    reason = obstacle(info, move.label, names, cells, was_bound, defaults)
    if reason:
        partner = next(each for each in new.points if each.label == move.label)
        raise CannotMoveError(reason, old.line(point), new.line(partner))
    return move


def changed_line(text: str, info: CodeInfo) -> int:
    """The first line of a function today that is not as it was."""
    was, now = text.splitlines(), source_of(info).splitlines()
    same = next((i for i, (one, other) in enumerate(zip(was, now, strict=False)) if one != other), min(len(was), len(now)))
    return info.code.co_firstlineno + min(same, max(len(now) - 1, 0))


def _first_lines(old: FunctionText, new: FunctionText) -> tuple[str, str]:
    return old.text.strip().partition("\n")[0], new.text.strip().partition("\n")[0]


@lru_cache(maxsize=64)
def old_of(text: str, digest: str, class_name: str | None) -> FunctionText:
    """See ``texts.old_text``: many frames may be of one function."""
    return old_text(text, digest, class_name)


def today_of(info: CodeInfo) -> FunctionText:
    """See ``texts.text_of_today``. What has another name today, as the program has said, is called as it was."""
    former = former_names()
    if former:
        variables = {name for code in (info.code, *nested_codes(info.code)) for name in variables_of(code)}
        former = {new: old for new, old in former.items() if new not in variables}
    return _today_of(info, tuple(former.items()))


@lru_cache(maxsize=64)
def _today_of(info: CodeInfo, former: tuple[tuple[str, str], ...]) -> FunctionText:
    return text_of_today(info.module.source, info.place, info.suspensions, source_of(info), dict(former))
