"""The loop of an instance: its ready callbacks, timers and tasks, which are state, over the loop of the process.

It is the running loop while a task or callback of the instance runs. What the program's own code asks of it stays in the
instance; what foreign code asks of it, and everything about input and output, goes to the loop of the process. The order of
callbacks and timers is that of ``asyncio.base_events.BaseEventLoop._run_once``.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import os
import secrets
import sys
import threading
import time
import weakref
from asyncio import events
from asyncio.base_events import BaseEventLoop
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, Token
from types import CoroutineType, FrameType, GeneratorType
from typing import Any, Protocol

from ..errors import DurableError
from ..frames.awaiting import COROUTINE_WRAPPER, Awaiting, coroutine_behind
from ..frames.capture import frame_behind
from ..frames.intrinsics import is_awaitable
from ..frames.leaf import PENDING, Leaf
from ..rewrite.registry import ITERABLE_COROUTINE, MODULES, info_of
from .awaited import awaitable_behind, future_behind, is_awaited_by_task, is_foreign, own_iterator
from .events import Inbox, pause
from .executors import ExecutorCall, begin_call, leaf_key
from .task import _NO_CONTEXT, DurableTask, loop_of
from .timers import Timer

MIN_DURABLE_DELAY = 0.1  # seconds: the deadline of a shorter timer is not worth a commit
tasks: Any = asyncio.tasks  # it takes anything for a task
_ASYNCIO = os.path.dirname(asyncio.__file__) + os.sep
_OURS = os.path.dirname(os.path.dirname(__file__)) + os.sep

_Base: Any = asyncio.AbstractEventLoop  # what is not defined here is filled in below


class Observer(Protocol):
    """Is told when foreign code of a leaf runs, in the context of its task; the first result is given to the second."""

    def leaf_steps(self, task: DurableTask, leaf: Leaf) -> Any: ...

    def leaf_rests(self, task: DurableTask, leaf: Leaf, token: Any) -> None: ...


class InstanceLoop(_Base):  # type: ignore[misc]
    """See the module; also the ``ambient.Driver`` of the instance's code. ``attach`` gives it the loop of the process."""

    def __init__(self, instance_id: str | None = None) -> None:
        self.instance_id = instance_id
        self.real: asyncio.AbstractEventLoop
        self.ready: deque[asyncio.Handle] = deque()
        self.timers: list[Timer] = []  # a heap
        self.new_timers: list[Timer] = []  # since the last checkpoint
        self.callbacks: dict[int, tuple[int, asyncio.Handle]] = {}  # those in ``ready`` that are no steps, by id: place, handle
        self.tasks: dict[DurableTask, None] = {}  # that have not ended, in the order in which they were made
        self.in_flight: dict[DurableTask, Leaf] = {}  # leaves that have begun, in that order
        self.touched: set[DurableTask] = set()  # whose state may have changed since the last checkpoint
        self.changed_callbacks: dict[int, asyncio.Handle | None] = {}  # by place: new, or gone, since the last checkpoint
        self.called: list[asyncio.Handle] = []  # callbacks that have run since then, timers that have fired or were cancelled
        self.on_step: Callable[[DurableTask], None] | None = None  # told of a task whose state is about to change
        self.incarnation = secrets.token_hex(4)  # tells this life of the instance from others under its id
        self.inbox = Inbox()  # events that have been published for the instance
        self.root: DurableTask
        self.task_count = 1
        self.first_place = self.last_place = 0  # in the order of ``ready``, of tasks, and of leaves in flight
        self.is_dropped = False  # it is not going on here: what it held is garbage
        self.is_ending = False  # the root has ended, and what it left running is being cancelled
        self.leaving: SystemExit | None = None  # why it is ending, if the program exits
        self.current: DurableTask | None = None  # whose step is being taken
        self.is_inside = False  # code of the instance runs, or foreign code called by it
        self.is_foreign = False  # ... which is a leaf
        self.is_dirty = False  # something has happened since the last checkpoint
        self.has_new_timer = False  # one whose deadline is worth a checkpoint
        self.owes_commit = False  # a checkpoint has to be committed before the next leaf
        self.task_factory: Any = None  # the only one that can be set makes eager tasks
        self._exception_handler: Any = None  # of the program
        self.native_tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()  # that run rewritten code beside it
        self.outside_finalizer: Callable[[Any], object] | None = None  # of asynchronous generators
        self.thread = 0
        self.observer: Observer | None = None
        self._observing: Any = None
        self._waiter: asyncio.Future[None] | None = None
        self._cancelled_timers = 0
        self._clock_offset = 0.0

    __class__ = property(lambda self: type(self.real) if hasattr(self, "real") else InstanceLoop)  # for isinstance

    def attach(self) -> None:
        """Run over the loop that is running."""
        self.real = asyncio.get_running_loop()
        self.thread = threading.get_ident()
        self._clock_offset = time.time() - self.real.time()

    # --- what rewritten code and its leaves need: see ``ambient.Driver``

    def leaf(self, awaitable: Any) -> Any:
        """See ``ambient.Driver``."""
        kind = type(awaitable)
        if not self.is_inside or self.is_foreign or kind is Leaf or kind is Awaiting:
            return awaitable
        if kind is not GeneratorType and frame_behind(awaitable) is not None:
            return awaitable
        if isinstance(awaitable, asyncio.Future) and loop_of(awaitable) is self:
            return awaitable
        if not is_awaitable(awaitable):
            return awaitable
        iterator = own_iterator(awaitable)
        if type(iterator) is COROUTINE_WRAPPER and frame_behind(iterator) is not None:
            return coroutine_behind(iterator)
        if self._is_own_future(iterator):
            return future_behind(iterator)
        if iterator is not None and not (hasattr(type(iterator), "__next__") and is_foreign(iterator)):
            return awaitable if iterator is awaitable else Awaiting(iterator)
        if self.current is not None and is_awaited_by_task(sys._getframe(2)):
            return Leaf(awaitable, iterator=iterator)
        return awaitable if iterator is None or iterator is awaitable else Awaiting(iterator)

    def delegates(self, iterator: Any, generator: FrameType) -> Any:
        """See ``ambient.Driver``."""
        if self.current is None or self.is_foreign or not is_foreign(iterator) or self._is_own_future(iterator):
            return iterator
        if type(iterator) is CoroutineType:
            if not generator.f_code.co_flags & ITERABLE_COROUTINE:
                return iterator  # which is an error
            iterator = iterator.__await__()
        return Leaf(awaitable_behind(iterator), iterator=iterator) if is_awaited_by_task(generator) else iterator

    def _is_own_future(self, iterator: Any) -> bool:
        """Whether it is the iterator of an await of a future of the instance."""
        future = future_behind(iterator)
        return future is not None and loop_of(future) is self

    def enters(self) -> bool:
        """See ``ambient.Driver``."""
        is_called_by_others = self.current is None or self.is_foreign
        if is_called_by_others and not leaf_key.get():
            task = tasks.current_task()
            if task is not None and type(task) is not DurableTask:
                self.native_tasks.add(task)
        return is_called_by_others

    def pauses(self, exception: Any) -> Any:
        """See ``ambient.Driver``."""
        if self.current is None or self.is_foreign or not is_awaited_by_task(sys._getframe(2)):
            return None
        return pause(exception)

    def wants_announcement(self, leaf: Leaf) -> bool:  # noqa: ARG002  the protocol's signature
        """See ``ambient.Driver``."""
        return self.owes_commit

    def leaf_steps(self, leaf: Leaf) -> Token[str] | None:
        """See ``ambient.Driver``."""
        task = self.current
        if task is None or self.is_foreign:
            return None
        if task.leaf is not leaf:
            task.leaf = self.in_flight[task] = leaf
            task.leaf_place = self.next_place()
        self.is_foreign = True
        events._set_running_loop(self.real)
        if self.observer is not None:
            self._observing = self.observer.leaf_steps(task, leaf)
        return leaf_key.set(self.key_of(task))

    def leaf_rests(self, leaf: Leaf, token: Token[str] | None) -> None:
        """See ``ambient.Driver``."""
        task = self.current
        if task is None or token is None:
            return
        leaf_key.reset(token)
        if self.observer is not None:
            self.observer.leaf_rests(task, leaf, self._observing)
        events._set_running_loop(self)
        self.is_foreign = False
        if leaf.state != PENDING:
            del self.in_flight[task]
            task.leaf = None
            task.ended = leaf
            task.is_leaf_cancelled = False
            task.leaves += 1
            self.is_dirty = True

    def key_of(self, task: DurableTask) -> str:
        """The key of the leaf that a task is at, or comes to next; the same when it runs again after a crash."""
        return f"{self.instance_id}/{self.incarnation}/{task.path}/{task.leaves}"

    def deliver(self, number: int, name: str, payload: Any) -> None:
        """Take an event that was published for the instance; one that it has had already is ignored."""
        if number not in self.inbox.accepted:
            self.inbox.accepted[number] = name
            self.inbox.put(name, payload)
            self.is_dirty = True
            self._poke()

    def deliver_cancellation(self, number: int) -> None:
        """Take an event that asks the program to end: its first task is cancelled."""
        if number not in self.inbox.accepted:
            self.inbox.accepted[number] = ""
            self.is_dirty = True
            self.root.cancel()
            self._poke()

    # --- running

    def next_place(self) -> int:
        """The next number in the order of things."""
        self.last_place += 1
        return self.last_place

    def touch(self, task: DurableTask) -> None:
        """The state of a task is about to change."""
        if task not in self.touched:
            self.touched.add(task)
            if self.on_step is not None:
                self.on_step(task)

    def is_saved(self) -> None:
        """The last checkpoint is now."""
        self.touched, self.changed_callbacks, self.called, self.new_timers = set(), {}, [], []

    @contextmanager
    def inside(self, task: DurableTask | None) -> Iterator[None]:
        """The surroundings of a step of ``task``, or of a callback."""
        outside = tasks.current_task(self.real)
        if outside is not None:
            tasks._leave_task(self.real, outside)
        if task is not None:
            self.touch(task)
            tasks._enter_task(self.real, task)
            tasks._enter_task(self, task)
        events._set_running_loop(self)
        self.outside_finalizer = sys.get_asyncgen_hooks().finalizer
        sys.set_asyncgen_hooks(finalizer=self.abandon)
        self.current, self.is_inside, self.is_dirty = task, True, True
        try:
            yield
        finally:
            self.current, self.is_inside = None, False
            sys.set_asyncgen_hooks(finalizer=self.outside_finalizer)
            events._set_running_loop(self.real)
            if task is not None:
                tasks._leave_task(self, task)
                tasks._leave_task(self.real, task)
            if outside is not None:
                tasks._enter_task(self.real, outside)

    def abandon(self, generator: Any) -> None:
        """Nobody uses an asynchronous generator any more: one of rewritten code is closed by a task, as asyncio does."""
        if self.is_dropped:
            return
        if info_of(generator.ag_code) is None or (self.root.done() and not self.tasks):
            if self.outside_finalizer is not None:
                self.outside_finalizer(generator)
            return
        context = contextvars.copy_context() if self.is_inside else self.root.get_context().copy()
        handle = asyncio.Handle(self.close_generator, (generator,), self, context)
        if threading.get_ident() == self.thread:
            self._accept(handle)
        else:
            self.real.call_soon_threadsafe(self._accept, handle)

    def close_generator(self, generator: Any) -> None:
        """See ``abandon``."""
        self._new_task(generator.aclose(), None, None, is_eager=self.task_factory is not None)

    def begin(self, task: DurableTask) -> None:
        """A task was made: its first step is due."""
        task.order = self.next_place()
        self.tasks[task] = None
        if task.is_shown:
            tasks._register_task(task)
        self.step_soon(task)

    def begin_eagerly(self, task: DurableTask) -> None:
        """A task was made: take its first step, as ``asyncio.Task`` does with ``eager_start``.

        If something has to be committed before it can go on, it does so in the next round.
        """
        task.order = self.next_place()
        self.touch(task)
        self.tasks[task] = None
        creator, self.current = self.current, task
        own, process = tasks._swap_current_task(self, task), tasks._swap_current_task(self.real, task)
        tasks._register_eager_task(task)
        try:
            leaf = task.advance(None)
        finally:
            tasks._unregister_eager_task(task)
            tasks._swap_current_task(self.real, process)
            tasks._swap_current_task(self, own)
            self.current = creator
        if task.done():
            task.set_coroutine(None)
        else:
            tasks._register_task(task)
        if leaf is not None:
            leaf.announced = False
            self.step_soon(task)

    def has_ended(self, task: DurableTask) -> None:
        """A task has ended."""
        self.touch(task)
        self.tasks.pop(task, None)
        tasks._unregister_task(task)

    def step_soon(self, task: DurableTask, error: BaseException | None = None) -> None:
        """Let a task take a step in the next round."""
        self._accept(self.step_of(task, error))

    def step_again(self, handle: asyncio.Handle) -> None:
        """Let a step that was taken from what is ready be taken in the next round."""
        self._accept(handle)

    def step_of(self, task: DurableTask, error: BaseException | None = None) -> asyncio.Handle:
        """The callback of a step."""
        return asyncio.Handle(task._step, (error,) if error is not None else (), self, _NO_CONTEXT)

    def wakes(self, task: DurableTask, future: Any) -> None:
        """A foreign future that a leaf of ``task`` waits for is done."""
        self._accept(asyncio.Handle(task._wakeup, (future,), self, _NO_CONTEXT))

    def _accept(self, handle: asyncio.Handle) -> None:
        self.ready.append(handle)
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
            task.step, task.step_place = handle, place

    def put_first(self, handle: asyncio.Handle) -> None:
        """Let a callback run before all others."""
        self.first_place -= 1
        self.ready.appendleft(handle)
        self._note(handle, self.first_place)

    def restore_ready(self, callbacks: list[tuple[int, asyncio.Handle]]) -> None:
        """Make ready what was: ``callbacks``, and the steps of tasks."""
        steps = [(t.step_place, t.step) for t in self.tasks if t.step is not None]
        for place, handle in sorted([*callbacks, *steps], key=lambda pair: pair[0]):
            self.ready.append(handle)
            self._note(handle, place)

    def take(self) -> asyncio.Handle:
        """The next callback that is ready."""
        handle = self.ready.popleft()
        known = self.callbacks.pop(id(handle), None)
        if known is not None:
            self.changed_callbacks[known[0]] = None
        else:
            task: Any = handle._callback.__self__  # type: ignore[attr-defined]
            if task.step is handle:
                task.step = None
        return handle

    def _poke(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    @contextmanager
    def waiting(self) -> Iterator[asyncio.Future[None]]:
        """A future of the process that is done when there is something to do."""
        waiter = self._waiter = self.real.create_future()
        deadline = self.next_deadline()
        timer = self.real.call_at(deadline - self._clock_offset, self._poke) if deadline is not None else None
        try:
            yield waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()

    @staticmethod
    def task_of(handle: asyncio.Handle) -> DurableTask | None:
        """The task whose step a callback is."""
        if handle._cancelled:
            return None
        task = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
        return task if type(task) is DurableTask and handle._context is _NO_CONTEXT else None  # type: ignore[attr-defined]

    # --- time: seconds since 1970, so that what is left of a delay survives a restart

    def time(self) -> float:
        """See ``asyncio.AbstractEventLoop``; as for all methods below."""
        return self.real.time() + self._clock_offset

    def next_deadline(self) -> float | None:
        """When the next timer is due."""
        while self.timers and self.timers[0]._cancelled:
            heapq.heappop(self.timers)._scheduled = False
            self._cancelled_timers -= 1
        return self.timers[0].when() if self.timers else None

    def take_due_timers(self) -> None:
        """Make the callbacks of timers that are due ready."""
        end = self.time() + time.get_clock_info("monotonic").resolution
        while (deadline := self.next_deadline()) is not None and deadline <= end:
            handle = heapq.heappop(self.timers)
            handle._scheduled = False
            self.called.append(handle)
            self._accept(handle)

    def _timer_handle_cancelled(self, handle: Timer) -> None:
        self.called.append(handle)
        if not handle._scheduled:
            return
        self._cancelled_timers += 1
        if self._cancelled_timers > 100 and self._cancelled_timers > len(self.timers) / 2:
            for timer in self.timers:
                timer._scheduled = not timer._cancelled
            self.timers = [timer for timer in self.timers if not timer._cancelled]
            heapq.heapify(self.timers)
            self._cancelled_timers = 0

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self.is_asked_by_program():
            return self._schedule(self.time() + delay, callback, args, context)
        return self.real.call_later(delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self.is_asked_by_program():
            return self._schedule(when, callback, args, context)
        return self.real.call_at(when - self._clock_offset, callback, *args, context=context)

    def _schedule(
        self, when: float, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.TimerHandle:
        handle = Timer(when, callback, args, self, context)
        handle.place = self.next_place()
        handle._scheduled = True
        heapq.heappush(self.timers, handle)
        self.new_timers.append(handle)
        if when - self.time() >= MIN_DURABLE_DELAY:
            self.has_new_timer = True
        self.is_dirty = True
        if not self.is_inside:
            self._poke()
        return handle

    # --- callbacks, futures, tasks

    def call_soon(self, callback: Callable[..., object], *args: Any, context: Context | None = None) -> asyncio.Handle:
        if not self._is_ours(callback, args):
            return self.real.call_soon(callback, *args, context=context)
        handle = asyncio.Handle(callback, args, self, context)
        self._accept(handle)
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self.real.call_soon_threadsafe(self._accept, handle)
        return handle

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self) if self.is_asked_by_program() else self.real.create_future()

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None, **options: Any) -> Any:
        if not self.is_asked_by_program():
            return self.real.create_task(coro, name=name, context=context, **options)
        if self.task_factory is not None:  # what it is told, and when the task gets its name, depends on the Python version
            return BaseEventLoop.create_task(self, coro, name=name, context=context, **options)
        return self._new_task(coro, name, context)

    def _task_factory(self, loop: InstanceLoop, coro: Any, *, name: Any = None, context: Context | None = None) -> DurableTask:  # noqa: ARG002  the signature of factories
        return self._new_task(coro, name, context, is_eager=True)

    def _new_task(self, coroutine: Any, name: Any, context: Context | None, is_eager: bool = False) -> DurableTask:
        if name is None:
            self.task_count += 1
            name = f"Task-{self.task_count}"
        path = self._next_path()
        return DurableTask(coroutine, loop=self, name=str(name), path=path, context=context, is_eager=is_eager)

    def _next_path(self) -> str:
        parent = self.current or self.root
        self.touch(parent)
        parent.children += 1
        return f"{parent.path}.{parent.children}"

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        if not self.is_asked_by_program():
            return self.real.run_in_executor(executor, func, *args)
        call = begin_call(ExecutorCall(executor, func, args))
        task = DurableTask(call, loop=self, name=f"{func!r} in an executor", path=self._next_path())
        tasks._unregister_task(task)
        task.is_shown = False
        return task

    def set_task_factory(self, factory: Any) -> None:
        if factory is not None and not is_eager_factory(factory):
            raise DurableError(
                f"the tasks of a durable instance cannot be made by {factory!r}: leave the loop's own factory in place, or set "
                "asyncio.eager_task_factory"
            )
        self.task_factory = factory

    def get_task_factory(self) -> Any:
        return self.task_factory

    def _is_ours(self, callback: Any, args: tuple[Any, ...]) -> bool:
        """Whether a callback belongs to the instance: a step, the program's own call, or the end of a future of it."""
        owner = getattr(callback, "__self__", None)
        if type(owner) is DurableTask:
            return True
        if type(callback).__name__.startswith("TaskWakeup") or isinstance(owner, _NATIVE_TASK):
            return False
        is_end_of_future = bool(args) and isinstance(args[0], asyncio.Future) and loop_of(args[0]) is self
        return is_end_of_future or self.is_asked_by_program()

    def is_asked_by_program(self) -> bool:
        """Whether the code that calls a method of this loop is the program's, be it by way of asyncio."""
        if not self.is_inside or self.is_foreign:
            return False
        frame = sys._getframe(2)
        while frame is not None:
            if frame.f_code.co_filename.startswith(_OURS):
                return True
            if not frame.f_code.co_filename.startswith(_ASYNCIO):
                return frame.f_globals.get("__name__") in MODULES
            frame = frame.f_back  # type: ignore[assignment]
        return False

    # --- the rest is the process's

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_debug(self) -> bool:
        return hasattr(self, "real") and self.real.get_debug()

    def set_exception_handler(self, handler: Any) -> None:
        if not self.is_asked_by_program():
            self.real.set_exception_handler(handler)
            return
        if handler is not None and not callable(handler):
            raise TypeError(f"A callable object or None is expected, got {handler!r}")
        self._exception_handler = handler

    def get_exception_handler(self) -> Any:
        return self._exception_handler or self.real.get_exception_handler()

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if self.is_dropped or not hasattr(self, "real"):  # it does not go on here, or was loaded in vain
            return
        if self._exception_handler is None:
            self.real.call_exception_handler(context)
        else:
            BaseEventLoop.call_exception_handler(self, context)

    def __getattr__(self, name: str) -> Any:
        if name == "real":
            raise AttributeError(name)
        return getattr(self.real, name)

    def __repr__(self) -> str:
        return f"<InstanceLoop of {self.instance_id!r}, {len(self.tasks)} tasks>"


def is_eager_factory(factory: Any) -> bool:
    """Whether a task factory is ``asyncio.eager_task_factory``, or another one that makes asyncio's own tasks eagerly."""
    eager = getattr(asyncio, "eager_task_factory", None)  # since Python 3.12
    if eager is None or getattr(factory, "__code__", None) is not eager.__code__:
        return False
    return factory.__closure__[0].cell_contents in _NATIVE_TASK


_NATIVE_TASK = tuple({tasks.Task, tasks._PyTask})


def _delegate(name: str) -> Any:
    def method(self: InstanceLoop, *arguments: Any, **keywords: Any) -> Any:
        return getattr(self.real, name)(*arguments, **keywords)

    method.__name__ = method.__qualname__ = name
    return method


for _name, _member in vars(asyncio.AbstractEventLoop).items():
    if callable(_member) and not _name.startswith("_") and _name not in vars(InstanceLoop):
        setattr(InstanceLoop, _name, _delegate(_name))
