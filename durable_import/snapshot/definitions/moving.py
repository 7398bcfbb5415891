"""How frames and functions whose code has changed go on in the code of today: see ``upgrades``, which decides it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import CellType
from typing import TYPE_CHECKING, Any, NoReturn

from ...errors import CodeChangedError, MissingCodeError
from ...frames.capture import is_bound
from ...frames.step import NEW, Step
from ...hook.code_table import CodeInfo, ModuleInfo, source_of
from ...pythons.instructions import variables_of
from ...rewrite.analysis.names import AWAITED, is_hidden
from ...rewrite.analysis.places import Places
from ...upgrades import decision
from ...upgrades.decision import TextAskedError, first_line, moved_to, parameters_then
from ...upgrades.kept import KeptTexts, VersionAsked
from ...upgrades.plan import CannotMoveError
from ...upgrades.renames import new_module
from ...upgrades.variables import defaults_of
from ..frame_places import check
from ..load_context import current, later
from .foreign_functions import function_with

if TYPE_CHECKING:
    from ...rewrite.analysis.suspensions import Place


def counterpart(
    module: ModuleInfo,
    place: str,
    digest: str,
    kept: KeptTexts,
    error: CodeChangedError | MissingCodeError,
    then: tuple[str, str, str],
) -> CodeInfo:
    """The function of today for one that is not there as it was. Raises CodeChangedError, or the error given if none is.

    ``then``: module and place as they were, and the version, if that is known.
    """
    name, former, version = then

    def was_alone() -> bool:
        return _was_alone(name, former, digest, kept, version, decision.namesakes_of(module, place)[0])

    try:
        found = decision.counterpart(module, place, digest, kept.by_digest, was_alone)
    except TextAskedError as asked:
        raise error if isinstance(error, CodeChangedError) else _asking(asked.namesake, digest) from None
    except CannotMoveError as reason:
        raise cannot_move(decision.namesakes_of(module, place)[0], digest, reason) from None
    if found is None:
        way = 'Or let it finish in the code that it began with (`run --old-code`, or on_change="pin").'
        raise MissingCodeError(f"{error} {way}") from error
    return found


def _was_alone(module: str, place: str, digest: str, kept: KeptTexts, version: str, namesake: CodeInfo) -> bool:
    """``decision.was_alone``, by the module as it was. Raises VersionAsked as long as that is not known."""

    def then() -> Places | None:
        if not version:
            reason = "the module as it was is not kept, and it is not certain which function of that name it is"
            raise VersionAsked(cannot_move(namesake, digest, CannotMoveError(reason, first_line(kept.by_digest[digest]))))
        from ...upgrades.versions import known_version

        tree = known_version(version).trees.get(new_module(module))
        return Places(tree) if tree is not None else None

    return decision.was_alone(place, then)


def refuse_call(info: CodeInfo, digest: str) -> NoReturn:
    """A function had calls that wait, and has none today. Raises CodeChangedError."""
    kept = current().kept_texts
    then = first_line(kept.by_digest.get(digest, "")) if kept is not None else ""
    raise cannot_move(info, digest, CannotMoveError(decision.PLAIN, then, first_line(source_of(info))))


def _asking(info: CodeInfo, digest: str) -> CodeChangedError:
    message = f"{info.module.path}:{info.code.co_firstlineno}: the code of {info.place!r} has changed since the state was saved"
    return _error(info, message, digest)


def move(
    info: CodeInfo, digest: str, cells: dict[str, CellType], place: Place | int, variables: dict[str, Any], *, has_awaited: bool
) -> int:
    """The label of today at which a frame of an old text goes on; its variables become those of the code of today."""
    today = info.module.by_place[info.place]
    kept = current().kept_texts
    assert kept is not None
    text = kept.by_digest[digest]
    with _refused(today, digest):
        defaults = _new_defaults(today, text, digest)
        if place == 0:
            decision.check_unbegun(today, text, digest, cells, defaults)
            variables.update(defaults)
            label = 0
        elif isinstance(place, int):
            raise CannotMoveError("the state was saved by a version that did not keep enough for that", first_line(text))
        else:
            label = _go_on(today, text, digest, place, variables, cells, defaults)
            check(today, label, variables, has_awaited=has_awaited)
            if kept.has_failed:
                _evaluate_again(today, label, variables)
    known = {*variables_of(today.code)}
    for name in [name for name in variables if not is_hidden(name) and name not in known and name not in today.code.co_freevars]:
        del variables[name]
    kept.moved[today.module.name, today.place] = moved_to(today, text)
    return label


def _evaluate_again(info: CodeInfo, label: int, variables: dict[str, Any]) -> None:
    """Let a call of foreign code that has failed be made as it is written today, where no value of before is a part of it."""
    step = variables.get(AWAITED)
    if type(step) is Step and step.state == NEW and decision.is_evaluated_alone(info, label):
        step.drop()
        variables[AWAITED] = None


def _go_on(
    info: CodeInfo,
    text: str,
    digest: str,
    place: Place,
    variables: dict[str, Any],
    cells: dict[str, CellType],
    defaults: dict[str, Any],
) -> int:
    had = dict(variables)
    move = decision.plan_begun(info, text, digest, place, had, cells, defaults)
    for name in move.idle:
        del variables[name]
    held = {today: variables.pop(name) for name, today in move.names.items()}
    variables.update(move.initial)
    variables.update(held)
    variables.update((name, value) for name, value in defaults.items() if name not in had and name not in cells)
    if cells:
        later(_check_cells, info, text, digest, place, had, cells, defaults)
    return move.label


def _check_cells(
    info: CodeInfo,
    text: str,
    digest: str,
    place: Place,
    had: dict[str, Any],
    cells: dict[str, CellType],
    defaults: dict[str, Any],
) -> None:
    """Once all is read: a captured variable that is unbound is one that the frame does not have."""
    bound = {name for name, cell in cells.items() if is_bound(cell)}
    if len(bound) < len(cells):
        with _refused(info, digest):
            decision.plan_begun(info, text, digest, place, had, cells, defaults, bound=bound)


def _new_defaults(info: CodeInfo, text: str, digest: str) -> dict[str, Any]:
    """The parameters that today's function has and the old one had not, with their defaults."""
    had = parameters_then(info, text, digest)
    defaults = defaults_of(function_with(info.code, info.module.name))
    return {name: value for name, value in defaults.items() if name not in had}


def check_function(info: CodeInfo, digest: str, cells: dict[str, CellType]) -> None:
    """Raise CodeChangedError unless a function of today can stand for one of another text that is kept in a variable."""
    kept = current().kept_texts
    assert kept is not None
    text = kept.by_digest[digest]
    with _refused(info, digest):
        decision.check_kept(info, text, digest, cells)
    kept.moved[info.module.name, info.place] = moved_to(info, text)


@contextmanager
def _refused(info: CodeInfo, digest: str) -> Iterator[None]:
    try:
        yield
    except CannotMoveError as error:
        raise cannot_move(info, digest, error) from None


def cannot_move(info: CodeInfo, digest: str, error: CannotMoveError) -> CodeChangedError:
    """Why the saved state cannot go on in the code of today, with both texts."""
    path, line = info.module.path, info.code.co_firstlineno
    message = (
        f"{path}:{line}: the code of {info.place!r} has changed since the state was saved, and it cannot go on in the code of "
        f"today: {error.reason}.\n  then:  {error.then}\n  today: {error.today or '(nothing like it)'}\n"
        'Let it finish in the code that it began with (`run --old-code`, or on_change="pin"), or start afresh (`run --fresh`); '
        "the saved state is kept."
    )
    return _error(info, message, digest)


def _error(info: CodeInfo, message: str, digest: str) -> CodeChangedError:
    path, line = info.module.path, info.code.co_firstlineno
    return CodeChangedError(message, filename=path, lineno=line, function=info.place, digest=digest)
