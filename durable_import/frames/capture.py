"""Reading suspended frames: which code, at which label, with which variables and cells.

Nothing in the frames pays for being read. Cells come from ``gc.get_referents``, which visits a frame's slots in order;
that order is no promise of the language, so it is checked against the variables' values.
"""

from __future__ import annotations

import dis
import gc
import pickle
import sys
from functools import lru_cache
from itertools import pairwise
from types import AsyncGeneratorType, CellType, CodeType, CoroutineType, FrameType, FunctionType, GeneratorType
from typing import Any, NamedTuple

from ..hook.code_table import CodeInfo, captured_names, info_of
from ..pythons.frames import FIRST_IS_ITERABLE, KEEPS_VARIABLES, first_instruction, iterators_on_stack
from ..rewrite.analysis.names import AWAITED, PC, RESUME_ONLY, STATE, is_hidden
from .awaiting import COROUTINE_WRAPPER, Awaiting, coroutine_behind

FRAME_TYPES = (CoroutineType, GeneratorType, AsyncGeneratorType)
CREATED, SUSPENDED, RUNNING, FINISHED = "created", "suspended", "running", "finished"


async def _asynchronous_generator() -> Any:
    yield


def _types_of_steps() -> tuple[type, type, type]:
    """The types of what ``asend``, ``aclose`` and ``anext`` with a default give; they have no names."""
    generator = _asynchronous_generator()
    steps = generator.asend(None), generator.aclose(), anext(generator, None)
    for step in steps:
        step.close()
    return type(steps[0]), type(steps[1]), type(steps[2])


ASEND, ATHROW, ANEXT = _types_of_steps()


class FrameState(NamedTuple):
    """What is saved of a frame. ``label`` is 0 before it has begun."""

    info: CodeInfo
    label: int
    variables: dict[str, Any]
    cells: dict[str, CellType]


class FrameParts(NamedTuple):
    """The attributes that coroutines and both kinds of generators name differently."""

    code: CodeType
    frame: FrameType | None
    state: str


def parts_of(value: Any) -> FrameParts:
    """Code, frame and state of a coroutine or generator."""
    kind = type(value)
    if kind is CoroutineType:
        frame = value.cr_frame
        return FrameParts(value.cr_code, frame, _state(frame, value.cr_running, value.cr_suspended))
    if kind is GeneratorType:
        frame = value.gi_frame
        return FrameParts(value.gi_code, frame, _state(frame, value.gi_running, value.gi_suspended))
    frame = value.ag_frame
    if frame is None:
        state = FINISHED
    elif value.ag_await is None and not value.ag_running and frame.f_lasti < first_instruction(value.ag_code):
        state = CREATED
    else:
        state = SUSPENDED
    return FrameParts(value.ag_code, frame, state)


def frame_of(value: Any) -> FrameType | None:
    """The frame of a coroutine or generator that has not ended."""
    kind = type(value)
    if kind is CoroutineType:
        return value.cr_frame  # type: ignore[no-any-return]
    return value.gi_frame if kind is GeneratorType else value.ag_frame  # type: ignore[no-any-return]


def _state(frame: FrameType | None, is_running: bool, is_suspended: bool) -> str:
    if frame is None:
        return FINISHED
    if is_running:
        return RUNNING
    return SUSPENDED if is_suspended else CREATED


class Layout:
    """Which of the names in the frames of a code object are its variables."""

    def __init__(self, info: CodeInfo) -> None:
        self.info = info
        self.cells = captured_names(info.code)
        self.is_plain_genexpr = info.code.co_name == "<genexpr>" and PC not in info.code.co_varnames
        self.has_blocks = any(info.names(label, "manager") for label in info.suspensions)  # ``with`` that suspends
        self.is_simple = not self.has_blocks and not info.module.is_library
        self._hidden = [n for n in info.code.co_varnames if is_hidden(n) and n not in RESUME_ONLY]
        self._others: dict[int, tuple[str, ...]] = {}

    def others(self, label: int) -> tuple[str, ...]:
        """The names that are none of its variables at a label: hidden ones that are not live there, and captured ones."""
        found = self._others.get(label)
        if found is None:
            live = {*self.info.names(label), *([AWAITED] if self.info.awaits(label) else [])}
            hidden = (n for n in self._hidden if n not in live)
            found = self._others[label] = tuple({**dict.fromkeys(self.cells), **dict.fromkeys(hidden), **RESUME_NAMES})
        return found


RESUME_NAMES = dict.fromkeys(sorted(RESUME_ONLY))
_layouts: dict[int, Layout] = {}  # by id of the code, which the layout keeps alive


def layout_of(code: CodeType) -> Layout | None:
    """The layout of a code object; None if it is not rewritten code."""
    known = _layouts.get(id(code))
    if known is None:
        info = info_of(code)
        if info is None:
            return None
        known = _layouts[id(code)] = Layout(info)
    return known


def is_simple(code: CodeType) -> bool:
    """Whether a function is not asyncio's own, and has no ``with`` blocks that suspend."""
    layout = layout_of(code)
    return layout is not None and layout.is_simple


def capture(value: Any) -> FrameState:
    """The state of a coroutine or generator of rewritten code that has not ended and is not running.

    Raises ``pickle.PicklingError`` for foreign code, or when the frame cannot be read.
    """
    code, frame, status = parts_of(value)
    layout = layout_of(code)
    if layout is None:
        raise pickle.PicklingError(
            f"{type(value).__name__} of {code.co_qualname!r} ({code.co_filename}:{code.co_firstlineno}), "
            "which is not durable code"
        )
    if is_begun_plain(value, layout.info):
        raise pickle.PicklingError(
            f"coroutine of {code.co_qualname!r} ({code.co_filename}:{code.co_firstlineno}), which has begun when there was no "
            "runtime; make it, or begin it, where the runtime is"
        )
    if frame is None or status == RUNNING:
        raise pickle.PicklingError(f"{type(value).__name__} of {code.co_qualname!r} is running")
    return _read(value, layout, status, variables_in(frame))


def variables_in(frame: FrameType) -> dict[str, Any]:
    """The variables of a frame, hidden ones too.

    Before Python 3.13 a frame keeps the dict that they were read into, and with it what they held then: it is emptied, unless
    the program has it as well, from ``locals()``.
    """
    names = frame.f_locals
    found = names.copy()
    if KEEPS_VARIABLES and sys.getrefcount(names) == _OWN_REFERENCES:
        names.clear()
    return found


_OWN_REFERENCES = 3  # the frame's, the variable's, and that of the call which counts


def _read(value: Any, layout: Layout, status: str, names: dict[str, Any]) -> FrameState:
    """The state of a frame; ``names`` are its own to change."""
    info = layout.info
    cells = cells_of(value, info.code, names) if layout.cells else {}
    if info.is_resume and STATE in names and status == CREATED:
        variables = dict(names[STATE])  # restored, and not gone on yet
        return FrameState(info, variables.pop(PC), variables, cells)
    if layout.is_plain_genexpr and isinstance(value, GeneratorType):
        return _read_plain_genexpr(value, info, status, names, cells)
    label = names.get(PC, 0) if status == SUSPENDED else 0
    if status == SUSPENDED and not label:
        raise pickle.PicklingError(f"a yield in a lambda ({info.code.co_filename}:{info.code.co_firstlineno}); make it a def")
    for name in layout.others(label):
        names.pop(name, None)
    return FrameState(info, label, names, cells)


def is_begun_plain(value: Any, info: CodeInfo) -> bool:
    """Whether it is a coroutine of the plain variant that has begun: it cannot be saved, so it is as good as foreign."""
    return info.durable is not None and type(value) is CoroutineType and parts_of(value).state != CREATED


def cells_of(value: Any, code: CodeType, names: Any) -> dict[str, CellType]:
    """The cells of a frame by variable."""
    captured = captured_names(code)
    if not captured:
        return {}
    referents = gc.get_referents(value)
    found = [r for r in referents if type(r) is CellType][: len(captured)]
    if len(found) < len(captured):
        raise pickle.PicklingError(f"the captured variables of {code.co_qualname!r} cannot be found")
    cells = dict(zip(captured, found, strict=True))
    for name, cell in cells.items():
        if not _holds(cell, names, name):
            raise pickle.PicklingError(f"the captured variable {name!r} of {code.co_qualname!r} cannot be found")
    return cells


def _holds(cell: CellType, names: Any, name: str) -> bool:
    if not is_bound(cell):
        return name not in names
    return name in names and names[name] is cell.cell_contents


def is_bound(cell: CellType) -> bool:
    """Whether a captured variable has a value."""
    try:
        cell.cell_contents  # noqa: B018  raises if it is empty
    except ValueError:
        return False
    return True


def contents_of(cells: dict[str, CellType]) -> dict[str, Any]:
    """The values of captured variables, without those that are unbound."""
    return {name: cell.cell_contents for name, cell in cells.items() if is_bound(cell)}


def _read_plain_genexpr(
    value: GeneratorType[Any, Any, Any], info: CodeInfo, status: str, names: Any, cells: dict[str, CellType]
) -> FrameState:
    """A generator expression runs as compiled; the iterators of its loops are on its stack, the first also in ``.0``."""
    variables = {name: item for name, item in names.items() if name not in cells}
    if status == CREATED:
        if FIRST_IS_ITERABLE:
            (variables[".0"],) = _loops(value, info, 1)
        return FrameState(info, 0, variables, cells)
    (label,) = info.suspensions
    names_of_loops = info.names(label, "iterator")
    loops = _loops(value, info, len(names_of_loops))
    if variables.pop(".0") is not loops[0] and not FIRST_IS_ITERABLE:
        raise _lost_loops(info)
    variables.update(zip(names_of_loops, loops, strict=True))
    return FrameState(info, label, variables, cells)


def _loops(value: Any, info: CodeInfo, count: int) -> list[Any]:
    found = iterators_on_stack(value, count)
    if found is None:
        raise _lost_loops(info)
    return found


def _lost_loops(info: CodeInfo) -> pickle.PicklingError:
    where = f"{info.code.co_filename}:{info.code.co_firstlineno}"
    return pickle.PicklingError(f"the loops of the generator expression {info.place!r} ({where}) cannot be found; make it a list")


def awaited_by(value: Any) -> Any:
    """What a suspended frame awaits, or None if it waits in a ``yield``."""
    return _awaited_by(parts_of(value))


def _awaited_by(parts: FrameParts) -> Any:
    if parts.frame is None or parts.state not in (SUSPENDED, CREATED):
        return None
    names, info = variables_in(parts.frame), info_of(parts.code)
    if parts.state == CREATED:
        names = names.get(STATE, {})  # of a restored frame that has not gone on yet
    if info is None or not info.awaits(names.get(PC, 0)):
        return None
    return names.get(AWAITED)


def generator_behind(awaitable: Any) -> Any:
    """The asynchronous generator of an ``asend``, ``athrow`` or ``aclose`` object."""
    return next(r for r in gc.get_referents(awaitable) if isinstance(r, AsyncGeneratorType))


def parts_of_anext(awaitable: Any) -> tuple[Any, Any]:
    """What ``anext(iterator, default)`` awaits, and the default."""
    awaited, default = gc.get_referents(awaitable)
    return awaited, default


def generator_of(step: Any) -> Any:
    """The same, also of one that was under way when it was saved."""
    return step.generator if type(step) is Continued else generator_behind(step)


class Continued:
    """An ``asend``, ``athrow`` or ``aclose`` that was under way: awaits what the generator gives next.

    Like those it can be awaited, or driven by a task.
    """

    def __init__(self, generator: Any, closing: bool) -> None:
        self.generator = generator
        self.closing = closing
        self._iterator: Any = None

    def __await__(self) -> Any:
        if self._iterator is None:
            step = self.generator.__anext__()
            self._iterator = self._close(step) if self.closing else step.__await__()
        return self._iterator

    def send(self, value: Any) -> Any:
        """Go on."""
        return self.__await__().send(value)

    def throw(self, *details: Any) -> Any:
        """Go on with an exception; one that has not gone on yet just raises it."""
        if self._iterator is None:
            raise details[0]
        return self._iterator.throw(*details)

    def close(self) -> None:
        """Give up, if it has gone on."""
        if self._iterator is not None:
            self._iterator.close()

    def __getstate__(self) -> dict[str, Any]:
        return {"generator": self.generator, "closing": self.closing, "_iterator": None}

    @staticmethod
    def _close(step: Any) -> Any:
        try:
            yield from step.__await__()
        except (StopAsyncIteration, GeneratorExit):
            return None
        raise RuntimeError("async generator ignored GeneratorExit")


def frame_behind(awaitable: Any) -> Any:
    """The coroutine or generator of rewritten code that an awaitable, or an iterator of one, runs directly, or None."""
    kind = type(awaitable)
    if kind is CoroutineType:
        info = info_of(awaitable.cr_code)
        return awaitable if info is not None and not is_begun_plain(awaitable, info) else None
    if kind is GeneratorType:
        return awaitable if info_of(awaitable.gi_code) is not None else None
    if kind is Awaiting:
        return frame_behind(awaitable.iterator)
    if kind is COROUTINE_WRAPPER:
        return frame_behind(coroutine_behind(awaitable))
    if kind is ASEND or kind is ATHROW or kind is Continued:
        generator = generator_of(awaitable)
        return generator if info_of(generator.ag_code) is not None else None
    if kind is ANEXT:
        return frame_behind(parts_of_anext(awaitable)[0])
    return None


def restored_variables(frame: Any) -> dict[str, Any]:
    """The variables of a restored frame that has not gone on yet; of others, and of one that had not begun, nothing."""
    parts = parts_of(frame)
    if parts.frame is None or parts.state != CREATED:
        return {}
    holder: dict[str, Any] = variables_in(parts.frame).get(STATE, {})
    return holder if holder.get(PC) else {}


def chain(root: Any) -> list[Any]:
    """The frames of a task from its outermost one, or None, to the innermost one, each awaiting the next."""
    found = []
    frame = root
    while frame is not None and (parts := parts_of(frame)).frame is not None:  # a program may close what a task is going to run
        found.append(frame)
        awaited = _awaited_by(parts)
        frame = None if awaited is None else frame_behind(awaited)
    return found


def line_of(value: Any) -> int:
    """The line a frame is at."""
    parts = parts_of(value)
    if parts.frame is None:
        return 0
    restored = variables_in(parts.frame).get(STATE) if parts.state == CREATED else None
    if restored:  # it has not gone on yet
        return _line_of_label(parts.code, restored[PC]) or parts.code.co_firstlineno
    return parts.frame.f_lineno or 0


@lru_cache(maxsize=256)
def _line_of_label(code: CodeType, label: int) -> int | None:
    """The line of the statement before which ``code`` sets its label to this one."""
    steps = list(dis.get_instructions(code))
    for constant, store in pairwise(steps):
        names = store.argval if isinstance(store.argval, tuple) else (store.argval,)  # 3.13 stores and loads in one step
        is_label = constant.opname.startswith("LOAD_") and constant.argval == label
        if is_label and store.opname.startswith("STORE_") and PC in names:
            return store.positions.lineno if store.positions is not None else None
    return None


def is_rewritten_function(function: Any) -> bool:
    """Whether a function's code is rewritten."""
    return isinstance(function, FunctionType) and info_of(function.__code__) is not None
