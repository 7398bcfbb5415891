"""A checkpoint: what is committed of an instance at once, and what is remembered of it."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ...aio.unwinding import StepOnWayOut
from ...hook.code_table import CodeInfo
from ...snapshot.payload import Saved


class WayOut(NamedTuple):
    """That an exception is on its way out at a checkpoint: the one before it is kept until that is handled.

    ``steps``: of the program's own code, that began since. ``begins``: the one before is the last one that was committed.
    """

    steps: tuple[StepOnWayOut, ...]
    begins: bool


class Checkpoint(NamedTuple):
    """What is committed: the number of the checkpoint, where the program is, the snapshot, the functions that it has frames of,
    and the version of the program."""

    number: int
    status: str
    location: str
    function: str
    saved: Saved
    code: tuple[CodeInfo, ...] = ()
    wake_at: float | None = None  # of a status that waits, by the clock of its event loop
    events: tuple[int, ...] = ()  # numbers of those that the state has, and the store perhaps still
    version: str = ""  # see ``hook.program_version``
    drift: float = 0.0  # seconds by which the wall clock is ahead of that of the event loop
    way_out: WayOut | None = None
    answers: dict[str, bytes] | None = None  # to be sent once it is kept, by the ids of the questions


class Kept(NamedTuple):
    """What is remembered of a checkpoint that was committed: not its frames, which may be garbage by then."""

    status: str
    wake_at: float | None
    location: str


Commit = Callable[[Checkpoint], Awaitable[None] | None]  # what is to be awaited; None: the checkpoint is kept already


def flush_output() -> None:
    """Before a commit: what was printed until then is not printed again after it."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
