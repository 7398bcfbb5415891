"""Reducers for frames of rewritten code, and for the awaitables that drive asynchronous generators.

Snapshots call the functions here by their names in ``names``; the meaning of their arguments is part of the format.
"""

from __future__ import annotations

import gc
from contextlib import suppress
from types import AsyncGeneratorType, CellType, CoroutineType, FunctionType, GeneratorType
from typing import TYPE_CHECKING, Any

from ...frames import restore
from ...frames.awaiting import COROUTINE_WRAPPER, Awaiting, coroutine_behind
from ...frames.capture import (
    ANEXT,
    ASEND,
    ATHROW,
    FINISHED,
    SUSPENDED,
    Continued,
    FrameState,
    awaited_by,
    capture,
    frame_behind,
    generator_behind,
    parts_of,
    parts_of_anext,
)
from ...holds.spent import let_go_of_spent
from ...hook.code_table import ITERABLE_COROUTINE, CodeInfo, info_of, iterable_coroutine
from ...ours import FOLDER, NAME
from .. import library, new_names
from ..definitions.moved import frame_function, note_moving, place_today
from ..frame_places import place_of
from ..load_context import current, later
from .foreign import reduce_foreign_frame

if TYPE_CHECKING:
    from ...rewrite.analysis.suspensions import Place
from ..definitions.functions import reduce_function

Reduced = tuple[Any, ...]


def reduce_frame(value: Any) -> Reduced:
    """A coroutine, generator or asynchronous generator."""
    if parts_of(value).state == FINISHED:
        code = parts_of(value).code
        file = f"<{NAME}>" if code.co_filename.startswith(FOLDER) else code.co_filename
        return finished, (type(value).__name__, value.__name__, value.__qualname__, file, code.co_firstlineno)
    state = capture(value) if info_of(parts_of(value).code) is not None else _unrewritten_state(value)
    return reduce_foreign_frame(value) if state is None else reduce_state(value, state)


def reduce_state(value: Any, state: FrameState) -> Reduced:
    """A frame that was read."""
    info = state.info
    let_go_of_spent(state)
    # Both dicts are made for this reduce value: a cell may lead back to the frame before all cells are in their dict, and no
    # other segment may have the same objects.
    variables, cells = dict(state.variables), dict(state.cells)
    place = place_of(state)
    held: tuple[Any, ...] = (place, variables)
    identity = (*library.identity_of(info), value.__name__, value.__qualname__)
    is_awaitable = type(value) is GeneratorType and bool(value.gi_code.co_flags & ITERABLE_COROUTINE)
    if info.module.is_library and state.label:
        awaited = info.awaited[state.label]
        held += (awaited, info.digest)
        return build_in_library, (*identity, cells, place, awaited, (), is_awaitable), held, None, None, fill
    builder = build_awaitable if is_awaitable else build_unrewritten if info.module.is_unrewritten else build
    return builder, (*identity, cells), held, None, None, fill


def _unrewritten_state(value: Any) -> FrameState | None:
    from .foreign_generators import capture_unrewritten  # which loads the rewriter

    return capture_unrewritten(value)


def build(module: str, place: str, digest: str, name: str, qualname: str, cells: dict[str, CellType]) -> Any:
    """A frame without variables."""
    info = frame_function(library.find_suspending, module, place, digest)
    frame = _build(new_names.itself(info), name, qualname, cells)
    note_moving(frame, info, digest, cells)
    return frame


def build_in_library(
    module: str,
    place: str,
    digest: str,
    name: str,
    qualname: str,
    cells: dict[str, CellType],
    suspension: Place | int,
    awaited: str,
    hidden: tuple[str, ...],
    is_awaitable: bool,
) -> Any:
    """A frame without variables of a function of the standard library, perhaps of another version of Python, that has begun.

    ``hidden``: its hidden variables, which ``suspension`` says since payload format 5.
    """
    info = library.find_place(module, place, digest, library.wait_of(suspension, awaited, hidden))
    return _build(iterable_coroutine(info) if is_awaitable else info, name, qualname, cells)


def build_awaitable(module: str, place: str, digest: str, name: str, qualname: str, cells: dict[str, CellType]) -> Any:
    """A generator without variables that can be awaited."""
    info = frame_function(library.find_suspending, module, place, digest)
    frame = _build(iterable_coroutine(new_names.itself(info)), name, qualname, cells)
    note_moving(frame, info, digest, cells)
    return frame


def build_unrewritten(module: str, place: str, digest: str, name: str, qualname: str, cells: dict[str, CellType]) -> Any:
    """A frame without variables, of code that is not rewritten where it is called: see ``foreign_generators``."""
    from ...hook.unrewritten import find_unrewritten

    return _build(find_unrewritten(module, place, digest), name, qualname, cells)


def _build(info: CodeInfo, name: str, qualname: str, cells: dict[str, CellType]) -> Any:
    frame = restore.build_frame(info, cells, name, qualname)
    frame.__name__, frame.__qualname__ = name, qualname
    context = current()
    if info.module.is_library and (version := context.pins.get(len(context.frames))) is not None:
        context.passing[id(frame)] = version
    context.built(frame)
    return frame


def fill(frame: Any, state: tuple[Any, ...]) -> None:
    """Give a frame its variables; generators in the middle are primed once all is loaded."""
    place, variables, *in_library = state
    info = info_of(parts_of(frame).code)
    assert info is not None
    if in_library and info.digest != in_library[1]:
        label = library.go_on(info, library.wait_of(place, in_library[0], variables), variables)
    else:
        label = place_today(frame, info, place, variables)
    if (version := current().passing.pop(id(frame), None)) is not None:
        from ...upgrades.in_flight import own_variables

        own_variables(version, variables)
    in_cells = restore.fill_frame(frame, label, variables)
    if in_cells:
        later(restore.fill_from_cells, frame, in_cells)
    current().filled(frame, is_begun=bool(label))


def fill_awaited(frame: Any, awaited: Any) -> None:
    """Give a frame that has its other variables what it awaits."""
    restore.fill_awaited(frame, awaited)
    current().filled(frame, is_begun=True)


def fill_driven(frame: Any, state: tuple[Any, ...]) -> None:
    """Give a coroutine that the program drives by itself its variables; it is taken to where it was once all is loaded."""
    fill(frame, state)
    current().driven[id(frame)] = frame


def is_driven_by_hand(coroutine: Any, known: dict[int, bool]) -> bool:
    """Whether a coroutine is in the middle of what ``__await__`` of the program's own class yields.

    What that yielded has been given to who drives the coroutine. ``known`` is for the same of the frames that it awaits, by
    id: to look at the whole stack for each of its frames would take too long.
    """
    if parts_of(coroutine).state != SUSPENDED:
        return False
    passed, frame, innermost, awaited = [], coroutine, None, None
    while frame is not None and id(frame) not in known:
        passed.append(id(frame))
        innermost, awaited = frame, awaited_by(frame)
        frame = None if awaited is None else frame_behind(awaited)
    is_driven = isinstance(innermost, GeneratorType) or type(awaited) is Awaiting if frame is None else known[id(frame)]
    known.update(dict.fromkeys(passed, is_driven))
    return known[id(coroutine)]


async def _ended_coroutine() -> None:
    return


def _ended_generator() -> Any:
    yield


async def _ended_asynchronous_generator() -> Any:
    yield


_ENDED: dict[str, Any] = {
    "coroutine": _ended_coroutine,
    "generator": _ended_generator,
    "async_generator": _ended_asynchronous_generator,
}


def finished(kind: str, name: str, qualname: str, filename: str, line: int) -> Any:
    """A coroutine or generator that has ended; what names it, as a task does, says where it was defined."""
    code = _ENDED[kind].__code__.replace(co_filename=filename, co_firstlineno=line, co_name=name, co_qualname=qualname)
    value = FunctionType(code, {})()
    value.__name__, value.__qualname__ = name, qualname
    if isinstance(value, AsyncGeneratorType):
        with suppress(StopIteration):
            value.aclose().send(None)
    else:
        value.close()
    return value


def reduce_asend(value: Any) -> Reduced:
    """``asend(x)`` or ``__anext__()``: under way, or not begun."""
    generator = generator_behind(value)
    if generator.ag_running:
        return Continued, (generator, False)
    sent = [r for r in gc.get_referents(value) if r is not generator]
    return begin_asend, (generator, sent[0] if sent else None)


def begin_asend(generator: Any, value: Any) -> Any:
    """An ``asend`` object that was not awaited yet."""
    return generator.asend(value)


def reduce_athrow(value: Any) -> Reduced:
    """``athrow(...)`` or ``aclose()``: under way, or not begun."""
    generator = generator_behind(value)
    arguments = [r for r in gc.get_referents(value) if r is not generator]
    if generator.ag_running:
        return Continued, (generator, not arguments)
    return begin_athrow, (generator, arguments[0] if arguments else None)


def begin_athrow(generator: Any, arguments: tuple[Any, ...] | None) -> Any:
    """An ``athrow`` or ``aclose`` object that was not awaited yet."""
    return generator.aclose() if arguments is None else generator.athrow(*arguments)


def reduce_anext(value: Any) -> Reduced:
    """``anext(iterator, default)``."""
    return begin_anext, parts_of_anext(value)


def begin_anext(awaited: Any, default: Any) -> Any:
    """``anext`` with a default, over a step that was made already."""
    return anext(_Next(awaited), default)


class _Next:
    """Gives one step."""

    def __init__(self, step: Any) -> None:
        self.step = step

    def __anext__(self) -> Any:
        return self.step


def reduce_wrapper(value: Any) -> Reduced:
    """``__await__()`` of a coroutine."""
    return await_method, (coroutine_behind(value),)


def await_method(awaitable: Any) -> Any:
    """The iterator of an await."""
    return awaitable.__await__()


FRAME_TABLE: dict[type, Any] = {
    CoroutineType: reduce_frame,
    GeneratorType: reduce_frame,
    AsyncGeneratorType: reduce_frame,
    ASEND: reduce_asend,
    ATHROW: reduce_athrow,
    ANEXT: reduce_anext,
    COROUTINE_WRAPPER: reduce_wrapper,
    FunctionType: reduce_function,
}
