"""Building frames from saved states.

A frame is restored as a fresh coroutine of its function's resume variant around an empty holder of variables, which is
filled afterwards: so graphs with cycles through frames can be built. Generators are primed: run to where they were, which
they tell by giving a marker. One that another frame awaits or delegates to is run by that one, and gives its marker then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context
from types import AsyncGeneratorType, CellType, FunctionType, GeneratorType
from typing import Any

from ..hook.code_table import CodeInfo, resume_code
from ..rewrite.analysis.names import AWAITED, PC, STATE
from .awaiting import Awaiting
from .capture import contents_of, frame_behind, frame_of, restored_variables
from .signals import PRIMED
from .step import Step, iterator_of

OTHER_CELLS = "@cells"  # among the variables of a built frame until it is filled: those that were not saved, and not needed


def build_frame(info: CodeInfo, cells: dict[str, CellType], name: str, qualname: str) -> Any:
    """A frame without variables; ``fill_frame`` completes it."""
    code = resume_code(info)
    made = {n: _cell_of(info) for n in code.co_freevars if n not in cells}
    function = FunctionType(code, namespace_of(info), name, None, tuple(cells.get(n) or made[n] for n in code.co_freevars))
    function.__qualname__ = qualname
    holder: dict[str, Any] = {}
    local = {n: cell for n, cell in cells.items() if n not in code.co_freevars and n in info.code.co_varnames}
    if made or local:
        holder[OTHER_CELLS] = made, local
    return function(holder)


def _cell_of(info: CodeInfo) -> CellType:
    """The cell of a variable that was not captured when the frame was saved, or that a function of the library did not have."""
    return CellType(None) if info.module.is_library else CellType()


def fill_frame(value: Any, label: int, variables: dict[str, Any]) -> dict[str, CellType]:
    """Give a built frame its variables.

    Which of them are in cells depends on the Python version: one that is named in an annotation of an inner definition is since
    3.14. Returns the cells of those that are in none here: ``fill_from_cells`` has to move what they hold, once they hold it.
    """
    holder = _holder_of(value)
    made, local = holder.pop(OTHER_CELLS, ({}, {}))
    holder.update(variables)
    for name in made.keys() & variables.keys():
        made[name].cell_contents = holder.pop(name)
    holder[PC] = label
    return {name: cell for name, cell in local.items() if name not in variables}


def fill_from_cells(value: Any, cells: dict[str, CellType]) -> None:
    """Give a built frame, which has its other variables, those that were in cells when it was saved."""
    _holder_of(value).update(contents_of(cells))


def fill_awaited(value: Any, awaited: Any) -> None:
    """Give a built frame what it awaits."""
    _holder_of(value)[AWAITED] = awaited


def _holder_of(value: Any) -> dict[str, Any]:
    frame = frame_of(value)
    assert frame is not None
    holder: dict[str, Any] = frame.f_locals[STATE]
    return holder


def namespace_of(info: CodeInfo) -> dict[str, Any]:
    """The globals of a function's module."""
    import sys

    return sys.modules[info.module.name].__dict__


def prime(frames: Iterable[Any]) -> None:
    """Run the generators among restored frames to the ``yield`` where they were."""
    known = list(frames)
    awaited = {id(frame_behind(restored_variables(frame).get(AWAITED))) for frame in known}
    for frame in known:
        if isinstance(frame, AsyncGeneratorType) and AWAITED not in restored_variables(frame):
            try:
                frame.__anext__().send(None)
            except StopIteration as stop:
                given = stop.value
        elif isinstance(frame, GeneratorType) and id(frame) not in awaited:
            given = next(frame)
        else:
            continue  # awaits, and will be awaited
        if given is not PRIMED:
            raise RuntimeError(f"{frame!r} did not get to where it was: please report this as a bug")


def take_to_place(stack: list[Any], root: Any) -> None:
    """Run a chain of restored frames, outermost first, to where they were; what the innermost awaits is not begun.

    ``root`` is what is sent to.
    """
    awaited = _gate(stack[-1], lambda awaited: awaited.iterator if type(awaited) is Awaiting else iter(()))
    if type(awaited) is Step:
        awaited.drop()
    for _ in range(_steps_to_place(stack) + (awaited is not None)):
        root.send(None)


def show_place(stack: list[Any], root: Any) -> None:
    """The same for frames that are to go on waiting there, and are to show it: lines, and what awaits what.

    Since Python 3.13, where the variables of a frame can be set.
    """
    awaited = _gate(stack[-1], lambda awaited: awaited.iterator if type(awaited) is Awaiting else iterator_of(awaited))
    for _ in range(_steps_to_place(stack) + (awaited is not None)):
        Context().run(root.send, None)
    frame = frame_of(stack[-1])
    if awaited is not None and frame is not None:
        frame.f_locals[AWAITED] = awaited


def _steps_to_place(stack: list[Any]) -> int:
    """How many restored generators of a chain give their marker."""
    restored = [restored_variables(frame) for frame in stack if isinstance(frame, GeneratorType)]
    return sum(bool(names) and not isinstance(names.get(AWAITED), GeneratorType) for names in restored)


def _gate(innermost: Any, iterator_behind: Callable[[Any], Any]) -> Any:
    """Let what a restored frame awaits give the marker first; gives what that is. A generator gives the marker itself: None."""
    if isinstance(innermost, GeneratorType):
        return None
    variables = restored_variables(innermost)
    awaited = variables[AWAITED]
    variables[AWAITED] = Awaiting(iterator_behind(awaited), is_gated=True)
    return awaited


def build_function(info: CodeInfo, cells: tuple[CellType, ...]) -> FunctionType:
    """A function of rewritten code around saved cells."""
    code = info.code
    return FunctionType(code, namespace_of(info), code.co_name, None, cells)
