"""Open ``with`` blocks that hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from types import CoroutineType, FrameType
from typing import Any

from ..frames.counted_exit import CountedExit
from ..hook.code_table import info_of
from .kinds import kind_of
from .table import Kind


class HoldingBlock:
    """One ``with`` block whose manager holds; ``began``: by ``time.monotonic``, once it is open.

    A block that is being entered holds nothing: on resume its manager is made, and entered, again.
    """

    __slots__ = ("_leaving", "began", "blocks", "manager", "place", "task")

    def __init__(self, blocks: HoldingBlocks, manager: Any, task: Any, place: str) -> None:
        self.blocks = blocks
        self.manager = manager
        self.task = task
        self.place = place
        self.began = 0.0
        self._leaving: CoroutineType[Any, Any, Any] | None = None

    def is_entered(self) -> None:
        """See ``frames.counted_exit``; as for the next two."""
        self.began = time.monotonic()
        self.blocks.entering.pop(self.task, None)
        self.blocks.open[self] = None

    def is_leaving(self, coroutine: CoroutineType[Any, Any, Any]) -> None:
        self._leaving = coroutine

    def is_left(self) -> None:
        self.blocks.open.pop(self, None)
        if self.blocks.entering.get(self.task) is self:
            del self.blocks.entering[self.task]

    def is_open(self) -> bool:
        """Whether it holds. A generator of a library that has ended has left its block, whoever is still to be told."""
        if self._leaving is None:
            return True
        generator = getattr(self.manager, "gen", None)
        return self._leaving.cr_frame is not None and getattr(generator, "ag_frame", self) is not None


class HoldingBlocks:
    """Those of one instance. ``holds`` says of managers whether they hold whatever their kind."""

    __slots__ = ("_holds", "entering", "open")

    def __init__(self, holds: Callable[[Any], bool]) -> None:
        self.open: dict[HoldingBlock, None] = {}
        self.entering: dict[Any, HoldingBlock] = {}  # by task, the innermost
        self._holds = holds

    def exit_of(self, manager: Any, leave: Any, frame: FrameType, task: Any, *, is_async: bool) -> Any:
        """See ``ambient.Driver``."""
        if kind_of(manager) is not Kind.HOLDS and not self._holds(manager):
            return leave
        block = self.entering[task] = HoldingBlock(self, manager, task, place_of(frame))
        return CountedExit(block, leave, is_async=is_async)

    def first_open(self) -> HoldingBlock | None:
        """The block that has been open for longest."""
        return next(self.all_open(), None) if self.open else None

    def all_open(self) -> Iterator[HoldingBlock]:
        """Those that are open, in the order in which they were entered."""
        for block in list(self.open):
            if block.is_open():
                yield block
            else:
                block.is_left()


def place_of(frame: FrameType) -> str:
    """The innermost place in the program from a frame on: ``file:line function``; that of the frame if there is none."""
    caller: FrameType | None = frame
    while caller is not None:
        info = info_of(caller.f_code)
        if info is not None and not info.module.is_library:
            frame = caller
            break
        caller = caller.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
