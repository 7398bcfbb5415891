"""The loop of an instance: its tasks and their steps, on top of its callbacks and timers, all of which are state.

It is the running loop while a task or callback of the instance runs. What the program's own code asks of it stays in the
instance; what foreign code asks of it, and everything about input and output, goes to the loop of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import secrets
import sys
import threading
import weakref
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Collection
from contextvars import Context, Token
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Any, NamedTuple, Protocol

from ..errors import DurableError
from ..frames.awaiting import COROUTINE_WRAPPER, Awaiting, coroutine_behind
from ..frames.capture import frame_behind
from ..frames.lookup import is_awaitable
from ..frames.restart import durable_form
from ..frames.step import PENDING, Step
from ..hook.code_table import ITERABLE_COROUTINE, MODULES, info_of
from ..pythons.protocols import awaited_as
from ..pythons.systems import passing
from ..pythons.tasks import (
    FUTURES,
    OwnFuture,
    begun_eagerly,
    is_eager_factory,
    loop_of,
    register_task,
    set_running_loop,
    swap_current_task,
    task_options,
    unregister_task,
)
from .asking import Asked, is_among_arguments
from .awaited import awaitable_behind, future_behind, is_awaited_by_task, is_foreign, own_iterator
from .call_digest import CallDigest
from .deadlines import Interruption, move_deadlines
from .events import Inbox, pause
from .executors import ExecutorCall, begin_call
from .foreign_calls import ForeignCall, foreign_call
from .foreign_scopes import BACKEND, scope_of
from .gate import OPEN
from .loop_settings import SettingLoop
from .running_step import RunningStep, running_step
from .taking import Taken, Taker
from .task import DurableTask
from .unwinding import Unwinding

LONGEST_WAIT = 10.0  # seconds that foreign code in another thread waits for what it has asked to be kept
GAP = 1_000_000_000  # keys of a task, of which it has not made so many calls on the way out of an exception
TURN = DurableTask._advance.__code__  # what the code that runs in a turn is called by


class _NothingToDo:
    """An awaitable that is done at once."""

    def __await__(self) -> Any:
        return iter(())


NOTHING_TO_DO = _NothingToDo()


class StepObserver(Protocol):
    """Is told when foreign code of a step runs, in the context of its task; the first result is given to the second."""

    def step_goes_on(self, task: DurableTask, step: Step) -> Any: ...

    def step_rests(self, task: DurableTask, step: Step, token: Any) -> None: ...


class AskedInside(NamedTuple):
    """That foreign code has asked for the key of its step."""

    key: str
    digest: bytes  # of the call
    task: DurableTask


class KeyRecords(Protocol):
    """Keeps which calls were given keys, before they go out."""

    async def keep(self, key: str, digest: bytes, task: DurableTask) -> None:
        """Raises KeyConflictError if a key was given to another call before."""
        ...


class Holder(Protocol):
    """What decides whether the instance may be saved.

    ``owes``: whether a checkpoint was not made that would have been.
    """

    owes: bool

    def exit_of(self, manager: Any, leave: Any, frame: FrameType, task: Any, *, is_async: bool) -> Any:
        """See ``ambient.Driver``; ``task`` enters the block."""
        ...

    def takes(self, primitive: Any, frame: FrameType, task: DurableTask, step: Step | None) -> None:
        """``task`` has taken a lock, or a slot of a semaphore; ``step``: by foreign code."""
        ...

    def is_in_doubt(self, task: DurableTask) -> bool:
        """``task`` is about to begin a step: whether that may open a block that holds, or perhaps nothing holds any more."""
        ...

    def seal_answer(self, question_id: str, *, is_error: bool, value: Any) -> bytes:
        """What is kept of the answer to a question. Raises UnsavableStateError."""
        ...

    def has_labels(self) -> None:
        """There are labels to be written. In any thread."""
        ...

    def why(self) -> str:
        """What holds, and where; empty if nothing does."""
        ...


class InstanceLoop(SettingLoop, Taker):
    """See the module; also the ``ambient.Driver`` of the instance's code. ``attach`` gives it the loop of the process."""

    __slots__ = (
        "_call", "_observing", "asked_inside", "current", "earlier_lives", "exits_for_error", "gaps", "gate", "generators",
        "has_asked", "holder", "in_flight", "inbox", "incarnation", "interruption", "is_ending", "key_records", "labels",
        "leaving", "native_tasks", "notes", "observer", "outside_finalizer", "outside_firstiter", "owes_commit", "queues",
        "reentering", "root", "slots", "taken", "task_count", "task_factory", "tasks", "unwinding",
    )  # fmt: skip

    def __init__(self, instance_id: str | None = None) -> None:
        super().__init__(instance_id)
        self.tasks: dict[DurableTask, None] = {}  # that have not ended, in the order in which they were made
        self.in_flight: dict[DurableTask, Step] = {}  # steps that have begun, in that order
        self.incarnation = secrets.token_hex(4)  # tells this life of the instance from others under its id
        self.earlier_lives = 0  # in which what runs since the last checkpoint has begun too
        self.inbox = Inbox()  # events that have been published for the instance
        self.gaps: dict[str, int] | None = None  # see ``skips_keys``
        self.labels: dict[str, str | None] | None = None  # that it has told of itself, and nobody has written yet
        self.interruption: Interruption | None = None  # of a restored one, until it goes on
        self.root: DurableTask
        self.task_count = 1
        self.is_ending = False  # the root has ended, and what it left running is being cancelled
        self.leaving: SystemExit | None = None  # why it is ending, if the program exits
        self.current: DurableTask | None = None  # whose turn is being taken
        self.owes_commit = False  # a checkpoint has to be committed before the next step
        self.has_asked = False  # ... because a key was asked for since the last one
        self.asked_inside: tuple[
            AskedInside, ...
        ] = ()  # ... and before foreign code goes on, which has asked for the key of its step
        self.key_records: KeyRecords | None = None
        self.task_factory: Any = None  # the only one that can be set makes eager tasks
        self.native_tasks: weakref.WeakSet[asyncio.Task[Any]] | None = None  # that run rewritten code beside it, if any did
        self.outside_finalizer: Any = None  # of asynchronous generators
        self.notes: Any = None  # of its reopenable objects, once there are any: see ``holds.notes``
        self.outside_firstiter: Any = None  # told of those that begin
        self.generators: weakref.WeakSet[Any] | None = None  # of rewritten code, that have begun, if any have
        self._call: ForeignCall | None = None  # that of the step that is about to begin
        self.observer: StepObserver | None = None
        self.holder: Holder | None = None
        self.gate = OPEN  # through which steps begin
        self.reentering: DurableTask | None = None  # whose blocks are being entered again
        self._observing: Any = None
        self.exits_for_error: dict[DurableTask, Step] | None = None  # by which exceptions leave blocks of libraries' managers
        self.unwinding: Unwinding | None = None  # exceptions on their way out, where there may be some
        self.taken: list[Taken] | None = None  # see ``taking``
        self.queues: weakref.WeakSet[Any] | None = None  # asyncio's primitives that tasks have waited for, if any have
        self.slots: tuple[tuple[Any, str, str], ...] = ()  # of a restored one, to be taken again: see ``slots_of``

    # --- what rewritten code and its steps need: see ``ambient.Driver``

    def step(self, awaitable: Any) -> Any:
        """See ``ambient.Driver``."""
        kind = type(awaitable)
        if not self.is_inside or self.is_foreign or kind is Step or kind is Awaiting:
            return awaitable
        if kind is CoroutineType:
            awaitable = durable_form(awaitable)
        if kind is not GeneratorType and frame_behind(awaitable) is not None:
            return awaitable
        if isinstance(awaitable, FUTURES) and loop_of(awaitable) is self:
            if self.unwinding is not None or sys.exception() is not None:
                self._comes_to_await(handles=sys.exception() is not None)
            return awaitable
        if not is_awaitable(awaitable):
            return awaitable
        iterator = own_iterator(awaitable)
        if iterator is not None and not hasattr(type(iterator), "__next__"):
            return awaited_as(type(awaitable), iterator)  # the await complains
        if type(iterator) is COROUTINE_WRAPPER and frame_behind(iterator) is not None:
            return durable_form(coroutine_behind(iterator))
        if self._is_own_future(iterator):
            return future_behind(iterator)
        if iterator is not None and not is_foreign(iterator):
            return awaitable if iterator is awaitable else Awaiting(iterator)
        if self.current is not None and is_awaited_by_task(sys._getframe(2)):
            return Step(awaitable, iterator=iterator)
        return awaitable if iterator is None or iterator is awaitable else Awaiting(iterator)

    def delegates(self, iterator: Any, generator: FrameType) -> Any:
        """See ``ambient.Driver``."""
        if self.current is None or self.is_foreign:
            return iterator
        iterator = durable_form(iterator)
        if not is_foreign(iterator) or self._is_own_future(iterator):
            return iterator
        if type(iterator) is CoroutineType:
            if not generator.f_code.co_flags & ITERABLE_COROUTINE:
                return iterator  # which is an error
            iterator = iterator.__await__()
        return Step(awaitable_behind(iterator), iterator=iterator) if is_awaited_by_task(generator) else iterator

    def _is_own_future(self, iterator: Any) -> bool:
        """Whether it is the iterator of an await of a future of the instance."""
        future = future_behind(iterator)
        return future is not None and loop_of(future) is self

    def enters(self) -> bool:
        """See ``ambient.Driver``."""
        is_called_by_others = self.current is None or self.is_foreign
        if is_called_by_others and running_step.get() is None:
            task: Any = asyncio.current_task()
            if task is not None and type(task) is not DurableTask:
                self.native_tasks = self.native_tasks or weakref.WeakSet()
                self.native_tasks.add(task)
        return is_called_by_others

    def pauses(self, exception: Any) -> Any:
        """See ``ambient.Driver``."""
        if self.current is None or self.is_foreign or not is_awaited_by_task(sys._getframe(2)):
            return None
        held = self.holder.why() if self.holder is not None else ""
        if held:
            raise DurableError(
                f"{_place_of_program(sys._getframe(2))}PauseForEventException was raised while the instance is held by {held}: "
                "what is open there would not be after the pause. Raise it behind the block"
            )
        return pause(exception)

    def exit_of(self, manager: Any, leave: Any, frame: FrameType, *, is_async: bool) -> Any:
        """See ``ambient.Driver``."""
        task = self.current or self.reentering
        if task is None or self.is_foreign or self.holder is None:
            return leave
        return self.holder.exit_of(manager, leave, frame, task, is_async=is_async)

    def takes(self, primitive: Any, frame: FrameType) -> None:
        """See ``Taker``."""
        task = self.current
        if task is not None and self.holder is not None and not self.is_dropped:
            self.holder.takes(primitive, frame, task, task.step if self.is_foreign else None)

    def waits_at(self, primitive: Any) -> None:
        """A task is about to wait for one of asyncio's primitives."""
        if self.current is not None and not self.is_foreign:
            self.queues = self.queues or weakref.WeakSet()
            self.queues.add(primitive)

    def owes(self) -> bool:
        """See ``ambient.Driver``; as for the next one."""
        holder = self.holder
        if holder is None or not holder.owes or self.current is None or self.is_foreign:
            return False
        return not holder.why() and is_awaited_by_task(sys._getframe(2))

    def commit_point(self) -> Step:
        step = Step(NOTHING_TO_DO)
        step.announced = True  # the commit is that of its end
        return step

    def wants_announcement(self, step: Step) -> bool:
        """See ``ambient.Driver``."""
        task = self.current
        if task is None or self.is_foreign:
            return self.owes_commit
        if task.asked is not None:
            self._settle(task, step)
        awaitable, unwinds = step.awaitable, False
        if self.unwinding is not None or self.exits_for_error is not None or sys.exception() is not None:
            unwinds = self._may_unwind(task, step)
        call = self._call = foreign_call(awaitable)
        if call.asks and not step.is_restored and call.asks_in(step.awaitable):
            self.has_asked = True
        if unwinds or self.owes_commit or self.has_asked:
            return True
        if self.holder is not None and self.holder.owes and self.holder.is_in_doubt(task):
            return True
        return passing() >= self.gate.closes_at

    def _may_unwind(self, task: DurableTask, step: Step) -> bool:
        """A step is about to begin while an exception is handled, or was: whether the driver is to look at that."""
        awaitable, handles = step.awaitable, sys.exception() is not None
        if handles and type(awaitable) is CoroutineType and awaitable.cr_code.co_name == "__aexit__":
            self.exits_for_error = {**(self.exits_for_error or {}), task: step}
            return False
        if self.exits_for_error is not None:
            self.exits_for_error.pop(task, None)  # it was caught
        self._comes_to_await(handles=handles)
        return self.unwinding is not None

    def _comes_to_await(self, *, handles: bool) -> None:
        """The task whose turn it is is about to wait, and handles an exception, or none."""
        if self.current is None:
            return
        if self.unwinding is None and handles:
            self.unwinding = Unwinding()
        if self.unwinding is not None:
            self.unwinding.comes_to_await(self.current, handles=handles)

    def step_failed(self, task: DurableTask) -> None:
        """A step of a task has ended by an exception, which the task is about to get."""
        self.unwinding = self.unwinding or Unwinding()
        self.unwinding.step_failed(task)

    def task_fails(self, task: DurableTask) -> None:
        """See ``TaskLoop``."""
        if task is not self.root:
            self.unwinding = self.unwinding or Unwinding()
            self.unwinding.task_fails(task, task._callbacks or ())

    def step_goes_on(self, step: Step) -> Token[RunningStep | None] | None:
        """See ``ambient.Driver``."""
        task = self.current
        if task is None or self.is_foreign:
            return None
        running = task.running
        if task.step is not step or running is None:
            task.step = self.in_flight[task] = step
            task.step_place = self.next_place()
            task.step_began = self.time() if self.timers else 0.0
            call = foreign_call(step.awaitable) if step.announced or self._call is None else self._call
            self._call = None
            is_kept = step.is_restored or (call.asks and call.asks_in(step.awaitable))
            step.attempt = step.attempt or 1 + self.earlier_lives
            running = task.running = RunningStep(self, (task.path, task.steps), call, is_kept, step.attempt)
            if BACKEND in MODULES:
                running.scope = scope_of(task)
        self.is_foreign = True
        set_running_loop(self.real)
        if self.observer is not None:
            self._observing = self.observer.step_goes_on(task, step)
        return running_step.set(running)

    def step_rests(self, step: Step, token: Token[RunningStep | None] | None) -> None:
        """See ``ambient.Driver``."""
        task = self.current
        if task is None or token is None:
            return
        running_step.reset(token)
        if self.observer is not None:
            self.observer.step_rests(task, step, self._observing)
        set_running_loop(self)
        self.is_foreign = False
        running: Any = task.running
        if step.state == PENDING:
            running.has_waited = True
            return
        if not running.has_waited:
            running.call.waits = False
        del self.in_flight[task]
        task.ended = step
        task.ends_step()
        if self.gaps is not None:
            task.steps += self.gaps.pop(task.path, 0)
        self.is_dirty = True

    def begun_in(self) -> dict[DurableTask, Any]:
        """The tasks with steps in flight, and the scopes of anyio in which these began."""
        return {task: task.running.scope for task in self.in_flight if task.running is not None}

    # --- keys

    @property
    def run_name(self) -> str:
        """What the keys of this run of the instance begin with: there may be others under its id, earlier or later."""
        return f"{self.instance_id}/{self.incarnation}"

    def lets_out(self) -> bool:
        """Foreign code is called that is no step, such as what makes a library's object; False if it runs already."""
        if not self.is_inside or self.is_foreign or threading.get_ident() != self.thread:
            return False
        self.is_foreign = True
        set_running_loop(self.real)
        return True

    def takes_back(self) -> None:
        """It has ended."""
        set_running_loop(self)
        self.is_foreign = False

    def key_of(self, task: DurableTask) -> str:
        """The key of the step that a task is at, or comes to next; the same when it runs again after a crash."""
        return f"{self.run_name}/{task.path}/{task.steps}"

    def skips_keys(self, tasks: Collection[str] | None) -> None:
        """The instance goes on from before a failure, after which these tasks (None: all) made calls, of which it knows nothing:
        their keys are given to no others. A call that is under way keeps the key that it has had before."""
        self.gaps = self.gaps or {}
        if not self.tasks:
            self.gaps["0"] = GAP  # it starts over
        for task in self.tasks:
            if tasks is None or task.path in tasks:
                task.children += GAP
                if task.step_at() is None:
                    task.steps += GAP
                else:
                    self.gaps[task.path] = self.gaps.get(task.path, 0) + GAP

    def ask_for_key(self, frame: FrameType) -> str | None:
        """The key of the step that the task whose turn it is comes to next, for the code in ``frame``; None in a callback."""
        task = self.current
        if task is None:
            return None
        if task.asked is None:
            task.asked = Asked(frame, TURN)
        elif task.asked.is_of_another(self.key_of(task), frame, TURN):
            task.steps += 1
            task.asked = Asked(frame, TURN)
        self.has_asked = True
        return self.key_of(task)

    def is_asked_inside(self, step: RunningStep) -> None:
        """See ``AskedLoop``. Another thread, which would go on at once, waits until it is kept which call has asked."""
        for task, running in list(self.in_flight.items()):
            if task.running is step:
                asked = AskedInside(step.key, CallDigest(running.awaitable, is_under_way=True).digest, task)
                if threading.get_ident() != self.thread and self.key_records is not None:
                    kept = asyncio.run_coroutine_threadsafe(self.key_records.keep(*asked), self.real)
                    with contextlib.suppress(TimeoutError):  # it goes on like a step that has not waited
                        kept.result(LONGEST_WAIT)
                self.asked_inside += (asked,)
        self.has_asked = True

    def _settle(self, task: DurableTask, step: Step | None = None) -> None:
        """The key that a task was given is that of the step that it comes to now if that was given it, else of no step."""
        task.asked = None
        if step is None or not is_among_arguments(self.key_of(task), step.awaitable):
            task.steps += 1

    def attach(self) -> None:
        """Run over the loop that is running."""
        super().attach()
        if self.interruption is not None:
            move_deadlines(self, self.interruption)
            self.interruption = None

    def runs_step_of(self, task: DurableTask) -> bool:
        """See ``TaskLoop``: its timers, callbacks and tasks have the context of the step."""
        return task.running is not None and running_step.get() is task.running

    def deliver(self, number: int, name: str, payload: Any) -> None:
        """Take an event that was published for the instance; one that it has had already is ignored."""
        if number not in self.inbox.accepted:
            self.inbox.accepted[number] = name
            self.inbox.put(name, payload)
            self.is_dirty = True
            self._poke()

    def answer(self, question_id: str, sealed: bytes) -> None:
        """Keep an answer until it is sent. In any thread."""
        self.inbox.answers = {**(self.inbox.answers or {}), question_id: sealed}
        self.is_dirty = True
        if threading.get_ident() != self.thread:
            self.real.call_soon_threadsafe(self._poke)
        else:
            self._poke()

    def deliver_cancellation(self, number: int) -> None:
        """Take an event that asks the program to end: its first task is cancelled."""
        if number not in self.inbox.accepted:
            self.inbox.accepted[number] = ""
            self.is_dirty = True
            self.root.cancel()
            self._poke()

    # --- running

    def enter(self, task: DurableTask | None) -> Any:
        """A turn of ``task``, or a callback, begins; the result is for ``leave``. A pair of calls is quicker than a manager."""
        outside = swap_current_task(self.real, task)
        set_running_loop(self)
        if task is not None:
            self.touch(task)
            swap_current_task(self, task)
        self.outside_firstiter, self.outside_finalizer = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self.generator_begins, self.abandon)
        self.current, self.is_inside, self.is_dirty = task, True, True
        return outside

    def leave(self, outside: Any) -> None:
        """It has ended."""
        if self.current is not None:
            if self.current.asked is not None:
                self._settle(self.current)
            swap_current_task(self, None)
        self.current, self.is_inside = None, False
        sys.set_asyncgen_hooks(self.outside_firstiter, self.outside_finalizer)
        set_running_loop(self.real)
        swap_current_task(self.real, outside)

    def generator_begins(self, generator: Any) -> None:
        """The loop of the process closes those that it knows of when it ends: not those of a program that is suspended."""
        if info_of(generator.ag_code) is not None:
            self.note_generator(generator)
        elif self.outside_firstiter is not None:
            self.outside_firstiter(generator)

    def note_generator(self, generator: Any) -> None:
        """A generator belongs to the instance: if that is suspended, its blocks do not run."""
        self.generators = self.generators or weakref.WeakSet()
        self.generators.add(generator)

    def hand_over_generators(self) -> None:
        """The program has ended: asynchronous generators that it has left in the middle end with the process's loop."""
        firstiter = sys.get_asyncgen_hooks().firstiter
        if firstiter is not None:
            for generator in self.generators or ():
                if type(generator) is AsyncGeneratorType:
                    firstiter(generator)

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
        self._new_task(generator.aclose(), eager_start=self.task_factory is not None)

    def begin(self, task: DurableTask) -> None:
        """A task was made: its first turn is due."""
        task.order = self.next_place()
        self.tasks[task] = None
        if task.is_shown:
            register_task(task)
        self.turn_soon(task)

    def begin_eagerly(self, task: DurableTask) -> None:
        """A task was made: take its first turn, as ``asyncio.Task`` does with ``eager_start``.

        If something has to be committed before it can go on, it does so in the next round.
        """
        task.order = self.next_place()
        self.touch(task)
        self.tasks[task] = None
        creator, self.current = self.current, task
        try:
            with begun_eagerly(task, self, self.real):
                step = task.advance(None)
        finally:
            if task.asked is not None:
                self._settle(task)
            self.current = creator
        if task.done():
            task.set_coroutine(None)
        else:
            register_task(task)
        if step is not None:
            step.announced = False
            self.turn_soon(task)

    def has_ended(self, task: DurableTask) -> None:
        """A task has ended."""
        self.touch(task)
        self.tasks.pop(task, None)
        unregister_task(task)

    def restore_ready(self, callbacks: list[tuple[int, asyncio.Handle]]) -> None:
        """Make ready what was: ``callbacks``, and the turns of tasks."""
        turns = [(t.turn_place, t.turn) for t in self.tasks if t.turn is not None]
        for place, handle in sorted([*callbacks, *turns], key=lambda pair: pair[0]):
            self.to_extend().append(handle)
            self._note(handle, place)

    # --- futures, tasks

    def create_future(self) -> asyncio.Future[Any]:
        """See ``asyncio.AbstractEventLoop``; as for all methods below."""
        return OwnFuture(loop=self) if self.is_asked_by_program() else self.real.create_future()

    def create_task(self, coro: Any, **options: Any) -> Any:
        if not self.is_asked_by_program():
            return self.real.create_task(coro, **options)
        if self.task_factory is not None:  # what it is told, and when the task gets its name, depends on the Python version
            return BaseEventLoop.create_task(self, coro, **options)
        return self._new_task(coro, **task_options(**options))

    def _task_factory(self, loop: InstanceLoop, coro: Any, *, eager_start: bool = True, **options: Any) -> DurableTask:  # noqa: ARG002  the signature of factories
        return self._new_task(coro, eager_start=eager_start, **options)

    def _new_task(
        self, coroutine: Any, *, name: Any = None, context: Context | None = None, eager_start: bool = False
    ) -> DurableTask:
        if name is None:
            self.task_count += 1
            name = f"Task-{self.task_count}"
        path = self._next_path()
        return DurableTask(durable_form(coroutine), loop=self, name=str(name), path=path, context=context, is_eager=eager_start)

    _new_task.__qualname__ = "Task"  # which the TypeError for an option that there is not names

    def _next_path(self) -> str:
        parent = self.current or self.root
        self.touch(parent)
        if parent.asked is not None:
            self._settle(parent)
        parent.children += 1
        return f"{parent.path}.{parent.children}"

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        if not self.is_asked_by_program():
            return self.real.run_in_executor(executor, func, *args)
        call = begin_call(ExecutorCall(executor, func, args))
        task = DurableTask(call, loop=self, name=f"{func!r} in an executor", path=self._next_path())
        unregister_task(task)
        task.is_shown = False
        return task

    def run_until_complete(self, future: Any) -> Any:
        if isinstance(future, FUTURES) and loop_of(future) is self and "nest_asyncio" in sys.modules:
            if not future.done():
                raise DurableError(
                    f"{_place_of_program(sys._getframe(1))}{future!r} belongs to a durable instance, and cannot be run to its "
                    "end while a turn of that instance runs, as nest_asyncio lets others: await it"
                )
            return future.result()
        return self.real.run_until_complete(future)

    def set_task_factory(self, factory: Any) -> None:
        if factory is not None and not is_eager_factory(factory):
            raise DurableError(
                f"the tasks of a durable instance cannot be made by {factory!r}: leave the loop's own factory in place, or set "
                "asyncio.eager_task_factory"
            )
        self.task_factory = factory

    def get_task_factory(self) -> Any:
        return self.task_factory

    def __repr__(self) -> str:
        return f"<InstanceLoop of {self.instance_id!r}, {len(self.tasks)} tasks>"


def _place_of_program(frame: FrameType | None) -> str:
    """Where the innermost rewritten code is, from a frame on, for the beginning of a message."""
    while frame is not None and info_of(frame.f_code) is None:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}: " if frame is not None else ""
