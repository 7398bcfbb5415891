"""Building frames from saved states.

A frame is restored as a fresh coroutine of its function's resume variant around an empty holder of variables, which is
filled afterwards: so graphs with cycles through frames can be built. Generators are primed: run to where they were.
"""

from __future__ import annotations

from collections.abc import Iterable
from types import AsyncGeneratorType, CellType, FunctionType, GeneratorType
from typing import Any

from ..rewrite.names import AWAITED, PC, STATE
from ..rewrite.registry import CodeInfo, resume_code
from .capture import parts_of
from .intrinsics import PRIMED


def build_frame(info: CodeInfo, cells: dict[str, CellType], name: str, qualname: str) -> Any:
    """A frame without variables; ``fill_frame`` completes it."""
    code = resume_code(info)
    closure = tuple(cells.get(n) or CellType() for n in code.co_freevars)
    function = FunctionType(code, namespace_of(info), name, None, closure)
    function.__qualname__ = qualname
    return function({})


def fill_frame(value: Any, label: int, variables: dict[str, Any]) -> None:
    """Give a built frame its variables."""
    frame = parts_of(value).frame
    assert frame is not None
    holder = frame.f_locals[STATE]
    holder.update(variables)
    holder[PC] = label


def namespace_of(info: CodeInfo) -> dict[str, Any]:
    """The globals of a function's module."""
    import sys

    return sys.modules[info.module.name].__dict__


def prime(generators: Iterable[Any]) -> None:
    """Run restored generators to the ``yield`` where they were; those that another one delegates to are run by it."""
    waiting = {id(g): g for g in generators}
    for generator in list(waiting.values()):
        inner = _variables(generator).get(AWAITED)
        if isinstance(generator, GeneratorType) and isinstance(inner, GeneratorType):
            waiting.pop(id(inner), None)
    for generator in waiting.values():
        if isinstance(generator, AsyncGeneratorType):
            try:
                generator.__anext__().send(None)
            except StopIteration as stop:
                given = stop.value
        else:
            given = next(generator)
        if given is not PRIMED:
            raise RuntimeError(f"{generator!r} did not get to where it was: please report this as a bug")


def _variables(generator: Any) -> dict[str, Any]:
    frame = parts_of(generator).frame
    holder: dict[str, Any] = frame.f_locals.get(STATE, {}) if frame is not None else {}
    return holder


def build_function(info: CodeInfo, cells: tuple[CellType, ...]) -> FunctionType:
    """A function of rewritten code around saved cells."""
    code = info.code
    return FunctionType(code, namespace_of(info), code.co_name, None, cells)


