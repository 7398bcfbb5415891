"""The stacks of an instance's tasks, each read once for a snapshot; frames that cannot have changed are pickled only once.

A coroutine that awaits another one goes on only when that one has ended: until then its variables stay bound to the same
objects. If these are immutable values, and no other function shares the variables, then so does its whole state, except
what it awaits. The second time it is met it is pickled by itself, and from then on these bytes stand for it.
"""

from __future__ import annotations

import pickle
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from ...aio.task import DurableTask
from ...frames.capture import FrameState, awaited_by, capture, frame_behind, frame_of, is_simple, line_of, parts_of
from ...frames.restore import fill_frame
from ...frames.step import DONE, Step
from ...holds.in_use import is_unfinished
from ...hook.code_table import CodeInfo, info_of
from ...rewrite.analysis.names import AWAITED
from ..definitions.moved import place_today
from ..frame_places import place_of
from ..library import identity_of
from . import frames

if TYPE_CHECKING:
    from ...rewrite.analysis.suspensions import Place

_VALUES = frozenset({type(None), bool, int, type(Ellipsis), range})
_MOST = 1024  # characters or bytes: longer values are not worth a copy for each frame
_MOST_ITEMS = 16  # of a tuple
_MOST_LEVELS = 4  # of tuples in tuples


Unread = tuple[CodeInfo, int, str, type]  # where a frame stands, the variable in it, and the class of what that holds


class Unchanged:
    """A frame, the coroutine that it awaits, its function, where it stands, and once it has been met twice, itself as pickled."""

    __slots__ = ("awaited", "data", "frame", "info", "place")

    def __init__(self, frame: Any, awaited: Any, state: FrameState) -> None:
        self.frame = frame
        self.awaited = awaited
        self.info = state.info
        self.place = place_of(state)
        self.data = b""

    def is_still(self, frame: Any) -> bool:
        """Whether it is about this frame, which has not gone on."""
        return self.frame is frame and self.awaited.cr_frame is not None


_NONE: Any = {}  # stays empty: most instances wait, and need little memory


class Stack:
    """The frames of a task, outermost first.

    ``is_simple``: none is asyncio's own, or has ``with`` blocks that suspend.
    """

    __slots__ = ("frames", "is_simple")

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.is_simple = True


class Stacks:
    """Of one instance, from ``begin`` to ``end`` of a snapshot. ``met``: by id of a frame what was read of it, if it was.

    What ``leaves_unread`` was told is kept from one snapshot to the next.
    """

    __slots__ = ("_before", "_read", "_seen", "_unread", "met")

    def __init__(self) -> None:
        self.met: dict[int, FrameState | Unchanged] = _NONE
        self._read: dict[DurableTask, Stack] = _NONE
        self._before: dict[int, Unchanged] = _NONE  # at the last snapshot
        self._seen: dict[int, Unchanged] = _NONE  # at this one
        self._unread: dict[tuple[CodeInfo, int], dict[str, type]] = _NONE

    def leaves_unread(self, unread: list[Unread]) -> None:
        """Variables that nothing reads where their frames stand, or results of awaits that nothing takes, could not be saved.

        Those of the same classes are left out there from then on, without a trial that costs more than all the rest.
        """
        self._unread = self._unread or {}
        for info, label, name, cls in unread:
            self._unread.setdefault((info, label), {})[name] = cls

    def begin(self) -> None:
        """Nothing has been read for the next snapshot."""
        self.met, self._read = {}, {}
        self._before, self._seen = self._seen, {}

    def end(self) -> None:
        """The snapshot is made: let go of what the frames held."""
        self.met, self._read, self._before = _NONE, _NONE, _NONE
        self._seen = self._seen or _NONE

    def of(self, task: DurableTask) -> Stack:
        """The stack of a task; empty if it has ended."""
        known = self._read.get(task)
        if known is None:
            known = self._read[task] = Stack()
            if not task.done():
                self._read_stack(frame_behind(task.root), known)
        return known

    def location_of(self, task: DurableTask) -> str:
        """Where a task is: ``file:line function``, of its innermost frame that is not asyncio's own."""
        for frame in reversed(self.of(task).frames):
            met = self.met.get(id(frame))
            if met is not None and not met.info.module.is_library:
                code = met.info.code
                return f"{code.co_filename}:{line_of(frame)} {code.co_qualname}"
        return ""

    def _read_stack(self, frame: Any, stack: Stack) -> None:
        frames, before, seen, met = stack.frames, self._before, self._seen, self.met
        while frame is not None:
            number = id(frame)
            known = before.get(number)
            if known is not None and known.is_still(frame):
                frames.append(frame)
                known.data = known.data or _pickled(frame, capture(frame))
                seen[number] = met[number] = known
                frame = known.awaited
            elif frame_of(frame) is not None:
                frames.append(frame)
                inner = self._read_frame(frame, stack)
                if self._unread:
                    self._leave_out_unread(met.get(number))
                frame = inner
            else:
                return  # a program may close what a task is going to run

    def beside(self, frame: Any) -> FrameState | None:
        """What is saved of a suspended generator that no task runs, if something of it is left out."""
        if not self._unread:
            return None
        state = self.met[id(frame)] = capture(frame)
        self._leave_out_unread(state)
        return state

    def _leave_out_unread(self, state: FrameState | Unchanged | None) -> None:
        """Leave variables unbound; a step is the same object for its task: its result is cleared in place."""
        if type(state) is not FrameState:
            return
        for name, cls in self._unread.get((state.info, state.label), _NONE).items():
            value = state.variables.get(name)
            if name == AWAITED:
                if type(value) is Step and value.state == DONE and type(value.value) is cls:
                    value.value = None
            elif type(value) is cls and not is_unfinished(value):
                del state.variables[name]

    def _read_frame(self, frame: Any, stack: Stack) -> Any:
        """Read a frame; gives the one that it awaits."""
        try:
            state = self.met[id(frame)] = capture(frame)
        except pickle.PicklingError:  # pickling it says so
            stack.is_simple = False
            awaited = awaited_by(frame)
            return None if awaited is None else frame_behind(awaited)
        stack.is_simple = stack.is_simple and is_simple(state.info.code)
        if not state.info.awaits(state.label):
            return None
        awaited = state.variables.get(AWAITED)
        if type(awaited) is CoroutineType:
            inner = frame_behind(awaited)
            if inner is not None and _can_settle(frame, state):
                self._seen[id(frame)] = Unchanged(frame, inner, state)
            return inner
        return None if awaited is None else frame_behind(awaited)


def location_of(task: DurableTask) -> str:
    """Where a task is: ``file:line`` of its innermost frame that is not asyncio's own; empty if it is nowhere."""
    for frame in reversed(task.stack()):
        info = info_of(parts_of(frame).code)
        if info is not None and not info.module.is_library:
            return f"{info.code.co_filename}:{line_of(frame)}"
    return ""


def _can_settle(frame: Any, state: FrameState) -> bool:
    module = state.info.module
    if type(frame) is not CoroutineType or not frame.cr_suspended or state.cells or module.is_library or module.is_unrewritten:
        return False
    return all(_is_value(value) for name, value in state.variables.items() if name != AWAITED)


def _is_value(value: Any, levels: int = _MOST_LEVELS) -> bool:
    """Whether a value never changes and is small; that it is the same object for several frames is not kept."""
    kind = type(value)
    if kind is str or kind is bytes:
        return len(value) <= _MOST
    if kind is tuple:
        return levels > 0 and len(value) <= _MOST_ITEMS and all(_is_value(each, levels - 1) for each in value)
    return kind in _VALUES or (kind is float and value == value)


def _pickled(frame: Any, state: FrameState) -> bytes:
    """A frame, except what it awaits."""
    del state.variables[AWAITED]
    info = state.info
    identity = *identity_of(info), frame.__name__, frame.__qualname__
    return pickle.dumps((identity, state.variables), pickle.HIGHEST_PROTOCOL)


def build_unchanged(data: bytes, suspension: Place | None = None) -> Any:
    """A frame with its variables, except what it awaits; until payload format 4 its data say where it stands."""
    identity, *label, variables = pickle.loads(data)
    module, place, digest, name, qualname = identity
    frame = frames.build(module, place, digest, name, qualname, {})
    info = info_of(parts_of(frame).code)
    assert info is not None
    fill_frame(frame, place_today(frame, info, suspension or label[0], variables, has_awaited=False), variables)
    return frame


def fill_unchanged(frame: Any, awaited: Any) -> None:
    """Give a frame what it awaits."""
    frames.fill_awaited(frame, awaited)
