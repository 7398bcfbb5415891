"""The callbacks of an instance that are ready, in their order, and what has changed since the last checkpoint.

A turn of a task is a callback too, known to its task. The order, here and of timers, is that of
``asyncio.base_events.BaseEventLoop._run_once``; each callback has a place in it, a number that is saved.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

from ..errors import DurableError
from ..pythons.tasks import FUTURES, NATIVE_TASKS, loop_of
from .task import _NO_CONTEXT, DurableTask, TaskLoop

_new_handle = object.__new__
NOTHING: deque[asyncio.Handle] = deque()  # stays empty: an empty deque takes as much memory as one of 64


class CallbackLoop(TaskLoop):
    """A loop whose callbacks are state: what runs it takes them one by one."""

    __slots__ = (
        "_waiter", "callbacks", "called", "changed_callbacks", "first_place", "last_place", "on_turn", "ready",
        "touched",
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self.ready = NOTHING
        self.callbacks: dict[int, tuple[int, asyncio.Handle]] = {}  # those in ``ready`` that are no turns, by id: place, handle
        self.first_place = self.last_place = 0  # in the order of ``ready``, of tasks, and of steps in flight
        self.is_dirty = False  # something has happened since the last checkpoint
        self.touched: dict[DurableTask, None] = {}  # tasks whose state may have changed since the last checkpoint
        self.changed_callbacks: dict[int, asyncio.Handle | None] = {}  # by place: new, or gone, since the last checkpoint
        self.called: list[asyncio.Handle] = []  # callbacks that have run since then, timers that have fired or were cancelled
        self.on_turn: Callable[[DurableTask], None] | None = None  # told of a task whose state is about to change
        self._waiter: asyncio.Future[None] | None = None

    def to_extend(self) -> deque[asyncio.Handle]:
        """What is ready, when something is going to be."""
        if self.ready is NOTHING:
            self.ready = deque()
        return self.ready

    def next_place(self) -> int:
        """The next number in the order of things."""
        self.last_place += 1
        return self.last_place

    def touch(self, task: DurableTask) -> None:
        """The state of a task is about to change."""
        if task not in self.touched:
            self.touched[task] = None
            if self.on_turn is not None:
                self.on_turn(task)

    def is_saved(self) -> None:
        """The last checkpoint is now."""
        self.touched, self.changed_callbacks, self.called = {}, {}, []

    def turn_soon(self, task: DurableTask, error: BaseException | None = None) -> None:
        """Let a task take a turn in the next round."""
        self._accept(self.turn_of(task, error))

    def turn_again(self, handle: asyncio.Handle) -> None:
        """Let a turn that was taken from what is ready be taken in the next round."""
        self._accept(handle)

    def turn_of(self, task: DurableTask, error: BaseException | None = None) -> asyncio.Handle:
        """The callback of a turn."""
        return self._handle(task._turn, (error,) if error is not None else ())

    def _handle(self, callback: Any, args: tuple[Any, ...]) -> asyncio.Handle:
        """One that has no context: ``asyncio.Handle(...)``, without what that does in debug mode, in half the time."""
        handle: Any = _new_handle(asyncio.Handle)
        handle._context, handle._loop, handle._callback, handle._args = _NO_CONTEXT, self, callback, args
        handle._cancelled, handle._repr, handle._source_traceback = False, None, None
        return handle  # type: ignore[no-any-return]

    def wakes(self, task: DurableTask, future: Any) -> None:
        """A foreign future that a step of ``task`` waits for is done."""
        self._accept(self._handle(task._wakeup, (future,)))

    def _accept(self, handle: asyncio.Handle) -> None:
        self.to_extend().append(handle)
        self._note(handle, self.next_place())
        self.is_dirty = True
        self._poke()

    def _note(self, handle: asyncio.Handle, place: int) -> None:
        """Remember the place of a callback in ``ready``."""
        task = self.task_of(handle)
        if task is None:
            self.callbacks[id(handle)] = place, handle
            self.changed_callbacks[place] = handle
        else:
            self.touch(task)
            task.turn, task.turn_place = handle, place

    def put_first(self, handle: asyncio.Handle) -> None:
        """Let a callback run before all others."""
        self.first_place -= 1
        self.to_extend().appendleft(handle)
        self._note(handle, self.first_place)

    def put_behind(self, handle: asyncio.Handle, others: int) -> None:
        """Let a callback run when so many others have run."""
        self.to_extend().insert(others, handle)
        self._note(handle, self.next_place())

    def take(self) -> asyncio.Handle:
        """The next callback that is ready."""
        handle = self.ready.popleft()
        known = self.callbacks.pop(id(handle), None)
        if known is not None:
            self.changed_callbacks[known[0]] = None
        else:
            task: Any = handle._callback.__self__  # type: ignore[attr-defined]
            if task.turn is handle:
                task.turn = None
        return handle

    @staticmethod
    def task_of(handle: asyncio.Handle) -> DurableTask | None:
        """The task whose turn a callback is."""
        if handle._cancelled:
            return None
        task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
        return task if type(task) is DurableTask and handle._context is _NO_CONTEXT else None  # type: ignore[attr-defined]

    def note_turn(self, task: DurableTask, handle: asyncio.Handle) -> None:
        """A task is to take a turn, but not yet: what runs the loop keeps it, and makes it ready by ``turn_again``."""
        self.touch(task)
        task.turn, task.turn_place = handle, self.next_place()

    def wake(self) -> None:
        """Let what waits for something to do look again."""
        self._poke()

    def _poke(self) -> None:
        """Let what waits for something to do go on."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        """See ``asyncio.AbstractEventLoop``; as for the next method."""
        if type(callback).__name__ == "TaskStepMethWrapper" and self.refuses_native_tasks():
            callback.__self__._log_destroy_pending = False  # type: ignore[attr-defined]
            raise DurableError(
                "asyncio.Task(...) makes a task of asyncio's own class, which is no part of a durable instance: call "
                "asyncio.create_task(...), which takes the same arguments, or create_task of a TaskGroup"
            )
        if not self._is_ours(callback, args):
            return self.real.call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        self._accept(handle)
        return handle

    def call_soon_threadsafe(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        if self.is_inside and threading.get_ident() == self.thread:
            self._accept(handle)  # no turn later than natively
        else:
            self.real.call_soon_threadsafe(self._accept, handle)
        return handle

    def refuses_native_tasks(self) -> bool:
        """Whether a task that the running code has made by its class cannot be run."""
        return self.is_asked_by_program()

    def _is_ours(self, callback: Any, args: tuple[Any, ...]) -> bool:
        """Whether a callback belongs to the instance: a turn, the program's own call, or the end of a future of it."""
        owner = getattr(callback, "__self__", None)
        if type(owner) is DurableTask:
            return True
        if type(callback).__name__.startswith("TaskWakeup") or isinstance(owner, NATIVE_TASKS):
            return False
        is_end_of_future = bool(args) and isinstance(args[0], FUTURES) and loop_of(args[0]) is self
        return is_end_of_future or self.is_asked_by_program()
