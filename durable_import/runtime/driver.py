"""The driver of one instance: runs its outermost coroutine, and commits the whole state whenever a leaf has ended."""

from __future__ import annotations

import asyncio
import sys
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ..errors import UnsavableStateError
from ..frames import ambient
from ..frames.capture import chain, coroutine_of, frame_behind, line_of, parts_of
from ..frames.discard import discard
from ..frames.intrinsics import is_awaitable
from ..frames.leaf import DONE, FAILED, Leaf, Timer, as_timer
from ..rewrite.registry import CodeInfo, info_of
from ..snapshot.managers import enter_again
from ..snapshot.snapshot import Encoder, Snapshot


@dataclass(frozen=True)
class Checkpoint:
    """What is committed: the number of the checkpoint, where the program is, the payload of the snapshot, and the
    functions that it has frames of."""

    number: int
    status: str
    location: str
    function: str
    payload: bytes
    code: tuple[CodeInfo, ...] = ()


Commit = Callable[[Checkpoint], Awaitable[None]]


class InstanceDriver:
    """Drives ``root`` inside the current task. Awaiting it gives the program's result or raises its exception.

    ``commit`` makes a checkpoint permanent; ``checkpoint`` is the number of the one that ``root`` was restored from.
    """

    def __init__(self, root: Any, encoder: Encoder, commit: Commit, checkpoint: int = -1) -> None:
        self.root = root
        self.encoder = encoder
        self.commit = commit
        self.checkpoint = checkpoint
        self.function = parts_of(root).code.co_qualname
        self.task: Any = None
        self.tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()  # that the program has made, of rewritten code
        self.on_wait: Callable[[float], None] | None = None  # told when a committed sleep begins, and its deadline
        self.in_leaf = False
        self.ended = False  # whether the program came to an end of its own, by a result or an exception
        self.deferred: Checkpoint | None = None  # of a failed leaf: committed only if the program goes on from there

    # --- what rewritten code calls

    def leaf(self, awaitable: Any) -> Any:
        """See ``ambient.Driver``."""
        if self.in_leaf or frame_behind(awaitable) is not None or type(awaitable) is Leaf:
            return awaitable
        if asyncio.current_task() is not self.task or not is_awaitable(awaitable):
            return awaitable
        own = coroutine_of(awaitable)
        if own is not None:
            return own if frame_behind(own) is not None else Leaf(awaitable, iterator=own)
        return Leaf(as_timer(awaitable) or awaitable)

    def enters(self) -> None:
        """See ``ambient.Driver``."""
        task = asyncio.current_task()
        if task is not self.task and task is not None:
            self.tasks.add(task)

    def wants_announcement(self, leaf: Leaf) -> bool:
        """See ``ambient.Driver``."""
        return self.deferred is not None or type(leaf.awaitable) is Timer

    def leaf_begins(self, leaf: Leaf) -> None:
        """See ``ambient.Driver``."""
        if self.on_wait is not None and type(leaf.awaitable) is Timer:
            self.on_wait(leaf.awaitable.deadline)
        self.in_leaf = True

    def leaf_ends(self) -> None:
        """See ``ambient.Driver``."""
        self.in_leaf = False

    # --- driving

    async def enter_again(self) -> None:
        """Enter the ``with`` blocks whose managers could not be saved; rewritten code that this runs is part of it."""
        self.task = asyncio.current_task()
        token = ambient.current_driver.set(self)
        self.in_leaf = True
        try:
            await enter_again(self.root)
        finally:
            self.in_leaf = False
            ambient.current_driver.reset(token)

    def __await__(self) -> Any:
        self.task = asyncio.current_task()
        token = ambient.current_driver.set(self)
        try:
            return (yield from self._drive())
        finally:
            ambient.current_driver.reset(token)
            if not self.ended:
                discard(chain(self.root))  # it did not end, it was stopped: its finally blocks are for later

    def _drive(self) -> Any:
        error: BaseException | None = None
        if self.checkpoint < 0:
            error = yield from self._save(self._capture("running"))
        while True:
            try:
                given = self._advance(error)
            except StopIteration as stop:
                self.ended = True
                return stop.value
            except BaseException as raised:
                self.ended = True
                raised.__traceback__ = _without_ours(raised.__traceback__)
                raise
            if type(given) is Leaf:
                error = yield from self._leaf_waits(given)
                continue
            error = None
            try:
                yield given
            except BaseException as thrown:  # cancellation, close: the program's to handle
                error = thrown

    def _advance(self, error: BaseException | None) -> Any:
        return self.root.send(None) if error is None else self.root.throw(error)

    def _leaf_waits(self, leaf: Leaf) -> Any:
        """A leaf is about to begin or has ended: commit what has to be. Gives what to throw into the frame, if anything."""
        if leaf.state == FAILED:
            if not leaf.is_restored:
                self.deferred = self._capture("running")
            return leaf.deliver()
        if leaf.state == DONE or type(leaf.awaitable) is Timer:
            self.deferred = None
            return (yield from self._save(self._capture("running" if leaf.state == DONE else "sleeping")))
        deferred, self.deferred = self.deferred, None
        assert deferred is not None
        return (yield from self._save(deferred))

    def _capture(self, status: str) -> Checkpoint:
        for task in self.tasks:
            if not task.done():
                raise self._unsavable(task)
        self.checkpoint += 1
        frames = chain(self.root)
        payload = self.encoder.encode(Snapshot(self.root, {"checkpoint": self.checkpoint}, frames))
        code = tuple(info for info in (info_of(parts_of(f).code) for f in frames) if info is not None)
        return Checkpoint(self.checkpoint, status, location_of(frames[-1]), self.function, payload, code)

    def _unsavable(self, task: asyncio.Task[Any]) -> UnsavableStateError:
        """A task of the program is running while its own task is at a checkpoint."""
        code = parts_of(task.get_coro()).code
        return UnsavableStateError(
            path=task.get_name(), type_name="asyncio.Task", instance_id=self.encoder.instance_id,
            reason="a task that runs beside the program's own one cannot be saved yet", filename=code.co_filename,
            lineno=code.co_firstlineno, function=code.co_qualname,
            way_out="Begin and await tasks within one expression, such as `await asyncio.gather(...)`, which is one leaf.",
        )  # fmt: skip

    def _save(self, checkpoint: Checkpoint) -> Any:
        """Commit; a cancellation that arrives meanwhile is returned, to be thrown into the program afterwards."""
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()  # what was printed before the checkpoint is not printed again after it
        committing = asyncio.ensure_future(self.commit(checkpoint))
        cancelled: BaseException | None = None
        while not committing.done():
            try:
                yield from asyncio.shield(committing).__await__()
            except asyncio.CancelledError as error:
                if committing.cancelled():
                    raise
                cancelled = error
            except BaseException:
                break
        committing.result()
        return cancelled


def _without_ours(traceback: Any) -> Any:
    """A traceback from the first frame on that is not of this file."""
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    return traceback


def location_of(frame: Any) -> str:
    """Where a frame is: ``file:line function``."""
    code = parts_of(frame).code
    return f"{code.co_filename}:{line_of(frame)} {code.co_qualname}"


