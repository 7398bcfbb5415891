"""Building frames from saved states.

A frame is restored as a fresh coroutine of its function's resume variant around an empty holder of variables, which is
filled afterwards: so graphs with cycles through frames can be built. Generators are primed: run to where they were, which
they tell by giving a marker. One that another frame awaits or delegates to is run by that one, and gives its marker then.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import AsyncGeneratorType, CellType, FunctionType, GeneratorType
from typing import Any

from ..rewrite.names import AWAITED, PC, STATE
from ..rewrite.registry import CodeInfo, resume_code
from .awaiting import Awaiting
from .capture import frame_behind, frame_of, restored_variables
from .signals import PRIMED


def build_frame(info: CodeInfo, cells: dict[str, CellType], name: str, qualname: str) -> Any:
    """A frame without variables; ``fill_frame`` completes it."""
    code = resume_code(info)
    closure = tuple(cells.get(n) or CellType() for n in code.co_freevars)
    function = FunctionType(code, namespace_of(info), name, None, closure)
    function.__qualname__ = qualname
    return function({})


def fill_frame(value: Any, label: int, variables: dict[str, Any]) -> None:
    """Give a built frame its variables."""
    holder = _holder_of(value)
    holder.update(variables)
    holder[PC] = label


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
    restored = [restored_variables(frame) for frame in stack if isinstance(frame, GeneratorType)]
    steps = sum(bool(names) and not isinstance(names.get(AWAITED), GeneratorType) for names in restored)
    if not isinstance(stack[-1], GeneratorType):
        variables = restored_variables(stack[-1])
        awaited = variables[AWAITED]
        variables[AWAITED] = Awaiting(awaited.iterator if type(awaited) is Awaiting else iter(()), is_gated=True)
        steps += 1
    for _ in range(steps):
        root.send(None)


def build_function(info: CodeInfo, cells: tuple[CellType, ...]) -> FunctionType:
    """A function of rewritten code around saved cells."""
    code = info.code
    return FunctionType(code, namespace_of(info), code.co_name, None, cells)


