"""Blocks of responses that have been read to their end: to leave one does nothing more, so a snapshot needs nothing of it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from ..frames.capture import FrameState, layout_of
from ..frames.counted_exit import CountedExit
from .in_use import first_true, spent_questions

EXITS = {"__exit__": False, "__aexit__": True}  # whether what they give is awaited


class SpentExit:
    """Stands for the manager of such a block, and for its bound exit method: called as that is, it lets all exceptions pass."""

    __slots__ = ("is_async",)

    def __init__(self, is_async: bool) -> None:
        self.is_async = is_async

    def __call__(self, *details: Any) -> Coroutine[Any, Any, None] | None:  # noqa: ARG002  as exit methods
        return leave_spent() if self.is_async else None

    def __reduce__(self) -> tuple[Any, ...]:
        return SpentExit, (self.is_async,)


async def leave_spent() -> None:
    """What leaving such a block does."""


def let_go_of_spent(state: FrameState) -> None:
    """In the variables read of a frame, put stand-ins in the place of such managers and their exit methods."""
    info, label, variables, _ = state
    layout = layout_of(info.code)
    if layout is not None and not layout.has_blocks:
        return
    for manager in info.names(label, "manager"):
        leave = info.beside(label, manager, "leave")
        counted = variables.get(leave) if leave is not None else None
        if type(counted) is CountedExit and counted.block.is_spent():
            variables[manager] = variables[leave] = SpentExit(counted.is_async)  # type: ignore[index]


def exit_if_spent(owner: Any, name: Any) -> SpentExit | None:
    """What stands for a bound exit method, as an exit stack has it, of the manager of such a response; None for all others."""
    is_async = EXITS.get(name) if type(name) is str else None
    if is_async is None or not first_true(owner, spent_questions(owner)):
        return None
    return SpentExit(is_async)
