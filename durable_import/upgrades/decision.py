"""Whether, and how, what is saved of a function whose code has changed goes on in the code of today.

It is asked when a state is loaded, and by who only looks at one: what it is told of the functions of today may come from modules
that were imported, or from their texts alone. All functions raise CannotMoveError.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..hook.code_table import CodeInfo, ModuleInfo
from ..pythons.codes import silent
from ..rewrite.analysis.names import INTRINSICS, is_hidden
from ..rewrite.analysis.places import Places, without_number
from ..rewrite.analysis.scopes import all_arguments, default_expressions, mangled
from ..rewrite.analysis.suspensions import points
from ..rewrite.compiler import ModuleRewriting
from .moving import changed_line, old_of, plan_frame, today_of
from .plan import CannotMoveError, Move
from .texts import FunctionText, UnreadableTextError

if TYPE_CHECKING:
    from ..rewrite.analysis.suspensions import Place

NESTED = ".<locals>."
PLAIN = "it waits in a call, and the function of today is one that does not wait"


class TextAskedError(Exception):
    """The text of a function as it was is needed; ``namesake``: the function of today that has its name."""

    def __init__(self, namesake: CodeInfo) -> None:
        super().__init__(namesake.place)
        self.namesake = namesake


def counterpart(
    module: ModuleInfo, place: str, digest: str, texts: Mapping[str, str], was_alone: Callable[[], bool]
) -> CodeInfo | None:
    """The function of today for one that is not there as it was; None if there is none of its name.

    ``texts``: of functions as they were, by digest; ``was_alone``: see the function of that name. Raises TextAskedError.
    """
    namesakes = namesakes_of(module, place)
    same = [info for info in namesakes if info.digest == digest]
    if len(same) == 1:  # it only stands elsewhere among those of its name
        return same[0]
    if not namesakes:
        return None
    text = texts.get(digest)
    if text is None:
        raise TextAskedError(namesakes[0])
    if len(namesakes) > 1 or same or not was_alone():
        reason = "there is more than one of that name, and it is not certain which one it is"
        raise CannotMoveError(reason, first_line(text))
    return namesakes[0]


def namesakes_of(module: ModuleInfo, place: str) -> list[CodeInfo]:
    """The functions of a module that have a place but for their number."""
    return [info for each, info in module.by_place.items() if without_number(each) == without_number(place)]


def was_alone(place: str, then: Callable[[], Places | None]) -> bool:
    """Whether there was no other function of that name beside one: for one inside of another, the module as it was says so."""
    if "#" in place.rpartition(".")[2]:
        return False
    if NESTED not in place:
        return True
    places = then()
    return places is not None and sum(without_number(each) == without_number(place) for each in places.by_path) == 1


def plan_begun(
    info: CodeInfo,
    text: str,
    digest: str,
    place: Place,
    variables: Mapping[str, Any],
    cells: Collection[str],
    defaults: Collection[str],
    bound: Collection[str] | None = None,
) -> Move:
    """How a frame in the middle of an old text goes on; see ``moving.plan_frame``.

    ``variables``: what it has, by name, hidden ones too; ``cells``: the names of captured ones, of which ``bound`` have a value
    (None: that is not known yet).
    """
    names = {*variables, *(cells if bound is None else bound)}
    move = plan_frame(text, digest, info, place, names, cells, defaults)
    if any(variables[name] is not value for name, value in move.idle.items()):
        raise CannotMoveError("it is leaving a block that is no longer there", first_line(text))
    return move


def check_unbegun(info: CodeInfo, text: str, digest: str, cells: Collection[str], defaults: Collection[str]) -> None:
    """A frame that has not begun: what it was called with must be what today's function takes."""
    old, new = _both(info, text, digest)
    has, takes = (_parameters(each) for each in (old, new))
    lacking = [name for name in takes if name not in has and name not in defaults]
    surplus = [name for name in has if name not in takes]
    free = [name for name in info.code.co_freevars if name not in cells]
    if lacking or surplus or free or type(old.node) is not type(new.node) or old.is_generator != new.is_generator:
        names = ", ".join(map(repr, [*lacking, *surplus, *free])) or "the kind of the function"
        raise CannotMoveError(f"its call is not one of today's function: {names}", first_line(old.text), first_line(new.text))


def check_kept(info: CodeInfo, text: str, digest: str, cells: Collection[str]) -> None:
    """A function that is kept in a variable, and for which one of today is to stand."""
    old, new = _both(info, text, digest)
    lines = first_line(old.text), first_line(new.text)
    if type(old.node) is not type(new.node) or old.is_generator != new.is_generator:
        raise CannotMoveError("it is kept in a variable, and is another kind of function today", *lines)
    if not hasattr(old.node, "args") or ast.dump(old.node.args) != ast.dump(new.node.args):
        raise CannotMoveError("it is kept in a variable, and has other parameters today", *lines)
    for name in info.code.co_freevars:
        if name not in cells:
            raise CannotMoveError(f"it is kept in a variable, and does not have {name!r}, which today's code captures", *lines)


def parameters_then(info: CodeInfo, text: str, digest: str) -> set[str]:
    """The parameters that the function of an old text had."""
    return set(_parameters(_both(info, text, digest)[0]))


def defaults_written(info: CodeInfo) -> set[str]:
    """The parameters of a function of today that have a default, as it is written."""
    new = today_of(info)
    arguments = getattr(new.node, "args", None)
    if arguments is None:
        return set()
    return {mangled(name, new.class_name) for name in default_expressions(arguments)}


def moved_to(info: CodeInfo, text: str) -> str:
    """What is said of a frame that goes on in a function of today."""
    return f"the new code of {info.place!r} (changed at line {changed_line(text, info)})"


def first_line(text: str) -> str:
    """What a function begins with."""
    return text.strip().partition("\n")[0]


def _both(info: CodeInfo, text: str, digest: str) -> tuple[FunctionText, FunctionText]:
    new = today_of(info)
    try:
        return old_of(text, digest, new.class_name), new
    except UnreadableTextError as error:
        raise CannotMoveError(f"the text that it began with cannot be read ({error})", first_line(text)) from None


def _parameters(text: FunctionText) -> list[str]:
    if not hasattr(text.node, "args"):
        return []
    return [mangled(each.arg, text.class_name) for each in all_arguments(text.node.args)]


def is_evaluated_alone(info: CodeInfo, label: int) -> bool:
    """Whether what is awaited at a label of today can be evaluated there: nothing that was computed before it is a part of it."""
    with silent():
        rewriting = ModuleRewriting(info.module.source, info.module.path)
    body = rewriting.body_of(rewriting.places.by_path[info.place]) or []
    operand = next((point.operand for point in points(body) if point.label == label and point.kind == "await"), None)
    names = {node.id for node in ast.walk(operand) if isinstance(node, ast.Name)} if operand is not None else {"@"}
    return not any(is_hidden(name) and name not in INTRINSICS for name in names)
