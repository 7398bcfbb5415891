"""Open ``with`` blocks that hold, and locks that hold until they are given back."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, CoroutineType, FrameType
from typing import Any

from ..aio.taking import Taken
from ..frames.capture import SUSPENDED, FrameState, capture, contents_of, parts_of, variables_in
from ..frames.counted_exit import CountedExit
from ..frames.liveness import live_at
from ..pythons.tasks import LoopBound
from ..rewrite.analysis.names import AWAITED, PC
from .doors import LEAST_PATIENCE, Doors, Hold
from .in_use import first_true, is_known_to_hold, spent_questions
from .kinds import kind_of
from .places import line_of_place, place_of
from .table import Kind

Turn = tuple[CodeType | str, int]  # where a turn began: the code of a frame and the label where it was


class HoldingBlock:
    """One ``with`` block whose manager holds.

    A block that is being entered holds nothing: on resume its manager is made, and entered, again. Nor does one whose response
    has been read to its end, once nothing of the response can be read any more.
    """

    __slots__ = (
        "_is_entered",
        "_leaves_nothing",
        "_leaving",
        "_questions",
        "blocks",
        "hold",
        "is_again",
        "leave",
        "manager",
        "place",
        "task",
        "turn",
    )

    def __init__(self, blocks: HoldingBlocks, manager: Any, leave: Any, task: Any, place: str, turn: Turn) -> None:
        self.blocks = blocks
        self.manager = manager
        self.leave = leave  # its bound exit method; None if there is no block
        self.task = task
        self.place = place
        self.turn = turn  # in which it is opened
        self.hold: Hold | None = None  # once it is open
        self.is_again = False  # an earlier life has begun to enter it too
        self._is_entered = False
        self._leaving: CoroutineType[Any, Any, Any] | None = None
        self._leaves_nothing = False  # its end is no more than plain code: all was saved before, and it does nothing
        self._questions: tuple[str, ...] | None = None  # whether its response has been read

    def is_entered(self) -> None:
        """See ``frames.counted_exit``; as for the next two, and ``is_spent``."""
        self._is_entered = True
        self.blocks.has_entered(self)

    def is_leaving(self, coroutine: CoroutineType[Any, Any, Any]) -> None:
        self._leaving = coroutine
        self._leaves_nothing = not self.blocks.owes() and self.is_spent()
        self.blocks.open[self] = None  # again, if it was spent: nothing is saved in the middle of leaving

    def is_left(self) -> None:
        self.blocks.entered.pop(self, None)
        self.blocks.has_left(self)

    @property
    def is_being_left(self) -> bool:
        """Whether its exit method has begun."""
        return self._leaving is not None

    @property
    def was_spent(self) -> bool:
        """Whether it has been left, and a checkpoint would bring no more than the one that was made before."""
        return self._leaves_nothing and not self.is_open()

    def is_open(self) -> bool:
        """Whether it holds. A generator of a library that has ended has left its block, whoever is still to be told."""
        if self._leaving is None:
            return not self.is_spent() or self._is_readable()
        generator = getattr(self.manager, "gen", None)
        return self._leaving.cr_frame is not None and getattr(generator, "ag_frame", self) is not None

    def surely_holds(self) -> bool:
        """Whether it holds, as far as can be said at little cost, while any task runs."""
        return self._is_entered and self._leaving is None and not self.is_spent()

    def is_spent(self) -> bool:
        """Whether it was entered, and its response has been read to its end; a short one may be there before that."""
        if not self._is_entered:
            return False
        if self._questions is None:
            self._questions = spent_questions(self.manager)
        return bool(first_true(self.manager, self._questions))

    def _is_readable(self) -> bool:
        """Whether the frame that it is in can still read something that holds, such as the response: then it could not be saved.

        To look is much cheaper than to try. Of a task that is running nothing is said.
        """
        for frame in self.task.stack():
            parts = parts_of(frame)
            if parts.code is self.turn[0] and parts.state == SUSPENDED:
                state = capture(frame)
                if any(type(value) is CountedExit and value.block is self for value in state.variables.values()):
                    return any(map(is_known_to_hold, _readable(state)))
        return False

    def may_be_saved(self) -> bool:
        """See ``frames.counted_exit``. Who waits for a lock that instances share waits for it again after a resume."""
        return not self._is_entered and isinstance(self.manager, LoopBound)

    def is_over(self) -> bool:
        """Whether one that does not hold now never will."""
        return True

    def described(self, what: str) -> str:
        """How messages call it; ``what``: the class of its manager."""
        return f"the `with` block at {line_of_place(self.place)}, whose {what} is open"

    def inside(self, what: str) -> str:
        """How they say that something is done inside of it that is not possible there."""
        block = f"inside the `with` block at {line_of_place(self.place)}"
        return f"{block}: nothing is saved while its {what} is open. Do it behind the block"


def _readable(state: FrameState) -> Iterator[Any]:
    """The values that a frame can still read, but not those that belong to its blocks."""
    info, label = state.info, state.label
    passed = {AWAITED, *info.names(label, "manager"), *info.names(label, "leave")}
    live = live_at(info, label) - passed
    yield from (value for name, value in (state.variables | contents_of(state.cells)).items() if name in live)


class HeldLock(HoldingBlock):
    """A lock that others share, taken by ``acquire()`` alone."""

    __slots__ = ("taken",)

    def __init__(self, blocks: HoldingBlocks, taken: Taken) -> None:
        super().__init__(blocks, taken.primitive, None, taken.task, taken.place, (taken.place, 0))
        self.taken = taken

    def is_open(self) -> bool:
        """A step that took it takes it again when it is made again, so it holds only once the step has ended."""
        return not self.taken.is_of_step()

    def is_over(self) -> bool:
        return False

    def described(self, what: str) -> str:
        return f"the {what} taken at {line_of_place(self.place)} and not released yet"

    def inside(self, what: str) -> str:
        return f"before a release: nothing is saved because of {self.described(what)}. Do it behind that"


class UnsavableBlock(HoldingBlock):
    """One whose manager could be saved by its class, but another manager of that could not be while its block was open.

    It holds for as long only as doors would wait for it: then it is tried whether it can be saved.
    """

    __slots__ = ("_until",)

    def __init__(self, blocks: HoldingBlocks, manager: Any, leave: Any, task: Any, place: str, turn: Turn) -> None:
        super().__init__(blocks, manager, leave, task, place, turn)
        self._until = math.inf

    def is_entered(self) -> None:
        self._until = time.monotonic() + LEAST_PATIENCE
        super().is_entered()

    def is_open(self) -> bool:
        return super().is_open() and (self.is_being_left or time.monotonic() < self._until)

    def surely_holds(self) -> bool:
        return False

    def may_be_saved(self) -> bool:
        return not self.is_open()


class HoldingBlocks:
    """Those of one instance, and its ``doors``.

    ``holds`` says of managers whether they hold whatever their kind; ``owes``, whether a checkpoint was put off. ``entered`` has
    also those that hold no more, since their responses have been read.
    """

    __slots__ = ("_holds", "_unsavable", "entered", "entering", "known_doors", "open", "owes")

    def __init__(self, holds: Callable[[Any], bool], owes: Callable[[], bool]) -> None:
        self.open: dict[HoldingBlock, None] = {}
        self.entered: dict[HoldingBlock, None] = {}
        self.entering: dict[Any, HoldingBlock] = {}  # by task, the innermost
        self.known_doors: Doors | None = None  # those of an instance which nothing has held yet would stand open
        self._holds = holds
        self.owes = owes
        self._unsavable: set[type] = set()  # managers' classes, see ``UnsavableBlock``

    @property
    def doors(self) -> Doors:
        """What lets the instance be saved between its holds."""
        if self.known_doors is None:
            self.known_doors = Doors(time.monotonic())
        return self.known_doors

    def exit_of(self, manager: Any, leave: Any, frame: FrameType, task: Any, *, is_async: bool) -> Any:
        """See ``ambient.Driver``."""
        is_known = kind_of(manager) is Kind.HOLDS or self._holds(manager)
        if not is_known and type(manager) not in self._unsavable:
            return leave
        turn = frame.f_code, variables_in(frame).get(PC, 0)
        kind = HoldingBlock if is_known else UnsavableBlock
        block = self.entering[task] = kind(self, manager, leave, task, place_of(frame), turn)
        return CountedExit(block, leave, is_async=is_async)

    def could_not_save(self, value: Any) -> None:
        """An object stood in the way of a checkpoint: if it is a manager, the next blocks of such ones count."""
        cls = type(value)
        if kind_of(value) is Kind.SAVED_IF_PICKLABLE and (hasattr(cls, "__exit__") or hasattr(cls, "__aexit__")):
            self._unsavable.add(cls)

    def has_entered(self, block: HoldingBlock) -> None:
        """A block is open."""
        if not isinstance(block, HeldLock):
            self.entering.pop(block.task, None)
        if not self.open and not self.owes():
            self.doors.committed(time.monotonic())  # all is saved until now, however long ago that was done
        self.open[block] = self.entered[block] = None
        block.hold = self.doors.hold_opened(block.place, time.monotonic(), turn=block.turn)

    def has_taken(self, taken: Taken) -> None:
        """A lock was taken that holds, unless the block which it is taken for does so."""
        block = self.entering.get(taken.task)
        if taken.step is None and block is not None and taken.primitive in (block.manager, getattr(block.manager, "_lock", None)):
            return
        taken.block = held = HeldLock(self, taken)
        self.has_entered(held)

    def has_left(self, block: HoldingBlock) -> None:
        """A block is open no more, or was not entered."""
        if self.entering.get(block.task) is block:
            del self.entering[block.task]
        if block.hold is not None:
            self.doors.hold_closed(block.hold, time.monotonic())
            block.hold = None
        self.open.pop(block, None)

    def of_task(self, task: Any) -> HoldingBlock | None:
        """A block that a task has open."""
        return next(_open_ones(block for block in list(self.open) if block.task is task), None)

    def first_open(self) -> HoldingBlock | None:
        """The block that has been open for longest."""
        first = next(iter(self.open), None)
        return first if first is None or first.surely_holds() else next(self.all_open(), None)

    def all_open(self) -> Iterator[HoldingBlock]:
        """Those that are open, in the order in which they were entered."""
        yield from _open_ones(list(self.open))


def _open_ones(blocks: Iterable[HoldingBlock]) -> Iterator[HoldingBlock]:
    for block in blocks:
        if block.is_open():
            yield block
        elif block.is_over():
            block.blocks.has_left(block)
