"""How frames and functions whose code has changed go on in the code of today: see ``upgrades``, which knows where."""

from __future__ import annotations

import ast
from types import CellType
from typing import TYPE_CHECKING, Any

from ...errors import CodeChangedError, MissingCodeError
from ...frames.capture import is_bound
from ...hook.code_table import CodeInfo, ModuleInfo
from ...pythons.instructions import variables_of
from ...rewrite.analysis.names import is_hidden
from ...rewrite.analysis.places import Places, digests, without_number
from ...rewrite.analysis.scopes import all_arguments, mangled
from ...upgrades.kept import KeptTexts
from ...upgrades.moving import changed_line, old_of, plan_frame, today_of
from ...upgrades.plan import CannotMoveError
from ...upgrades.texts import UnreadableTextError
from ...upgrades.variables import defaults_of
from ..frame_places import check
from ..load_context import current, later
from .foreign_functions import function_with

if TYPE_CHECKING:
    from ...rewrite.analysis.suspensions import Place

NESTED = ".<locals>."


def counterpart(
    module: ModuleInfo, place: str, digest: str, kept: KeptTexts, error: CodeChangedError | MissingCodeError
) -> CodeInfo:
    """The function of today for one that is not there as it was. Raises CodeChangedError, or the error given if none is."""
    namesakes = [info for each, info in module.by_place.items() if without_number(each) == without_number(place)]
    same = [info for info in namesakes if info.digest == digest]
    if len(same) == 1:  # it only stands elsewhere among those of its name
        return same[0]
    if not namesakes:
        raise error
    text = kept.by_digest.get(digest)
    if text is None:
        raise error if isinstance(error, CodeChangedError) else _asking(namesakes[0], digest) from None
    if len(namesakes) > 1 or same or not _was_alone(place, digest, kept):
        reason = "there is more than one of that name, and it is not certain which one it is"
        raise cannot_move(namesakes[0], digest, reason, _first_line(text), "") from None
    return namesakes[0]


def _asking(info: CodeInfo, digest: str) -> CodeChangedError:
    message = f"{info.module.path}:{info.code.co_firstlineno}: the code of {info.place!r} has changed since the state was saved"
    return _error(info, message, digest)


def _was_alone(place: str, digest: str, kept: KeptTexts) -> bool:
    """Whether there was no other function of that name beside one: for one inside of another, the text of that says so."""
    if "#" in place.rpartition(".")[2]:
        return False
    if NESTED not in place:
        return True
    for text in kept.by_digest.values():
        tree = _parsed(text)
        places = Places(tree) if tree is not None else None
        for node, found in digests(places.order).items() if places is not None else ():
            there = places.path_of[node] if places is not None else ""
            if found == digest and NESTED in there:
                others = (
                    [each for each in places.by_path if without_number(each) == without_number(there)]
                    if places is not None
                    else []
                )
                return len(others) == 1
    return False


def _parsed(text: str) -> ast.Module | None:
    try:
        return ast.parse(f"if True:\n{text}" if text[:1] in (" ", "\t") else text)
    except (SyntaxError, ValueError):
        return None


def move(
    info: CodeInfo, digest: str, cells: dict[str, CellType], place: Place | int, variables: dict[str, Any], *, has_awaited: bool
) -> int:
    """The label of today at which a frame of an old text goes on; its variables become those of the code of today."""
    today = info.module.by_place[info.place]
    kept = current().kept_texts
    assert kept is not None
    text = kept.by_digest[digest]
    if place == 0:
        _bind(today, text, digest, variables, cells)
        label = 0
    elif isinstance(place, int):
        raise cannot_move(
            today, digest, "the state was saved by a version that did not keep enough for that", _first_line(text), ""
        )
    else:
        label = _go_on(today, text, digest, place, variables, cells)
        check(today, label, variables, has_awaited=has_awaited)
    known = {*variables_of(today.code)}
    for name in [name for name in variables if not is_hidden(name) and name not in known and name not in today.code.co_freevars]:
        del variables[name]
    line = changed_line(text, today)
    kept.moved[today.module.name, today.place] = f"the new code of {today.place!r} (changed at line {line})"
    return label


def _go_on(info: CodeInfo, text: str, digest: str, place: Place, variables: dict[str, Any], cells: dict[str, CellType]) -> int:
    defaults = _new_defaults(info, text, digest)
    names = {*variables, *cells}
    try:
        move = plan_frame(text, digest, info, place, names, cells, defaults)
    except CannotMoveError as error:
        raise cannot_move(info, digest, error.reason, error.then, error.today) from None
    for name, value in move.idle.items():
        if variables.pop(name) is not value:
            raise cannot_move(info, digest, "it is leaving a block that is no longer there", _first_line(text), "")
    held = {today: variables.pop(name) for name, today in move.names.items()}
    variables.update(move.initial)
    variables.update(held)
    variables.update((name, value) for name, value in defaults.items() if name not in names)
    if cells:
        later(_check_cells, info, text, digest, place, names, cells, defaults)
    return move.label


def _check_cells(
    info: CodeInfo,
    text: str,
    digest: str,
    place: Place,
    names: set[str],
    cells: dict[str, CellType],
    defaults: dict[str, Any],
) -> None:
    """Once all is read: a captured variable that is unbound is one that the frame does not have."""
    unbound = {name for name, cell in cells.items() if not is_bound(cell)}
    if unbound:
        try:
            plan_frame(text, digest, info, place, names - unbound, cells, defaults)
        except CannotMoveError as error:
            raise cannot_move(info, digest, error.reason, error.then, error.today) from None


def _new_defaults(info: CodeInfo, text: str, digest: str) -> dict[str, Any]:
    """The parameters that today's function has and the old one had not, with their defaults."""
    function = function_with(info.code, info.module.name)
    try:
        old = old_of(text, digest, today_of(info).class_name)
    except UnreadableTextError as error:
        raise cannot_move(info, digest, f"the text that it began with cannot be read ({error})", _first_line(text), "") from None
    if not hasattr(old.node, "args"):
        return {}
    had = {mangled(each.arg, old.class_name) for each in all_arguments(old.node.args)}
    return {name: value for name, value in defaults_of(function).items() if name not in had}


def _bind(info: CodeInfo, text: str, digest: str, variables: dict[str, Any], cells: dict[str, CellType]) -> None:
    """A frame that has not begun: what it was called with must be what today's function takes."""
    defaults = _new_defaults(info, text, digest)
    new = today_of(info)
    old = old_of(text, digest, new.class_name)
    has, takes = ([mangled(a.arg, new.class_name) for a in all_arguments(each.node.args)] for each in (old, new))
    lacking = [name for name in takes if name not in has and name not in defaults]
    surplus = [name for name in has if name not in takes]
    kinds = [type(each.node) for each in (old, new)]
    free = [name for name in info.code.co_freevars if name not in cells]
    if lacking or surplus or free or kinds[0] is not kinds[1] or old.is_generator != new.is_generator:
        names = ", ".join(map(repr, [*lacking, *surplus, *free])) or "the kind of the function"
        raise cannot_move(
            info, digest, f"its call is not one of today's function: {names}", _first_line(old.text), _first_line(new.text)
        )
    variables.update(defaults)


def check_function(info: CodeInfo, digest: str, cells: dict[str, CellType]) -> None:
    """Raise CodeChangedError unless a function of today can stand for one of another text that is kept in a variable."""
    kept = current().kept_texts
    assert kept is not None
    text, new = kept.by_digest[digest], today_of(info)
    try:
        old = old_of(text, digest, new.class_name)
    except UnreadableTextError as error:
        raise cannot_move(info, digest, f"the text that it began with cannot be read ({error})", _first_line(text), "") from None
    lines = _first_line(old.text), _first_line(new.text)
    if type(old.node) is not type(new.node) or old.is_generator != new.is_generator:
        raise cannot_move(info, digest, "it is kept in a variable, and is another kind of function today", *lines)
    if not hasattr(old.node, "args") or ast.dump(old.node.args) != ast.dump(new.node.args):
        raise cannot_move(info, digest, "it is kept in a variable, and has other parameters today", *lines)
    for name in info.code.co_freevars:
        if name not in cells:
            raise cannot_move(
                info, digest, f"it is kept in a variable, and does not have {name!r}, which today's code captures", *lines
            )
    kept.moved[info.module.name, info.place] = f"the new code of {info.place!r} (changed at line {changed_line(text, info)})"


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


def cannot_move(info: CodeInfo, digest: str, reason: str, then: str, today: str) -> CodeChangedError:
    """Why the saved state cannot go on in the code of today, with both texts."""
    path, line = info.module.path, info.code.co_firstlineno
    message = (
        f"{path}:{line}: the code of {info.place!r} has changed since the state was saved, and it cannot go on in the code of "
        f"today: {reason}.\n  then:  {then}\n  today: {today or '(nothing like it)'}\n"
        'Let it finish in the code that it began with (`run --old-code`, or on_change="pin"), or start afresh (`run --fresh`); '
        "the saved state is kept."
    )
    return _error(info, message, digest)


def _error(info: CodeInfo, message: str, digest: str) -> CodeChangedError:
    path, line = info.module.path, info.code.co_firstlineno
    return CodeChangedError(message, filename=path, lineno=line, function=info.place, digest=digest)
