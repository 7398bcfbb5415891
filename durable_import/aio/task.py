"""A task of an instance: what ``asyncio.Task`` is, but its whole state can be read and put back.

The semantics are those of the standard library's ``asyncio.tasks.Task`` (CPython's Lib/asyncio/tasks.py), on top of the C
implementation of ``asyncio.Future``. Its turns are taken by the driver, which is given the steps that need a checkpoint.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
from abc import abstractmethod
from asyncio import coroutines
from types import GeneratorType
from typing import Any

from ..frames import ambient
from ..frames.awaiting import Awaiting
from ..frames.capture import CREATED, SUSPENDED, awaited_by, chain, frame_behind, parts_of, restored_variables, variables_in
from ..frames.discard import discard
from ..frames.hiding import hidden_from_tracebacks
from ..frames.restore import show_place, take_to_place
from ..frames.signals import PRIMED
from ..frames.step import FAILED, Step
from ..pythons.library import base_task_get_stack, base_task_print_stack, base_task_repr
from ..pythons.tasks import OwnFuture, add_awaited_by, discard_awaited_by, loop_of
from ..pythons.versions import SETS_VARIABLES
from ..rewrite.analysis.names import AWAITED, STATE
from .asking import Asked
from .cancellation import Cancellable
from .delegation import DelegatingLoop
from .running_step import RunningStep
from .task_iterators import TaskIterator, awaitable_of

_NO_CONTEXT = contextvars.Context()  # of handles whose callback is a turn: it runs in the task's own context


class TaskLoop(DelegatingLoop):
    """What a task needs of the loop of its instance; ``is_dirty``: something has happened since the last checkpoint."""

    __slots__ = ("is_dirty",)

    is_dirty: bool

    @abstractmethod
    def begin(self, task: DurableTask) -> None:
        """A task was made."""

    @abstractmethod
    def begin_eagerly(self, task: DurableTask) -> None:
        """A task was made that takes its first turn at once."""

    @abstractmethod
    def turn_soon(self, task: DurableTask, error: BaseException | None = None) -> None:
        """A task is to take a turn, with an error if one is thrown into it."""

    @abstractmethod
    def wakes(self, task: DurableTask, future: Any) -> None:
        """What a task waits for has ended."""

    @abstractmethod
    def touch(self, task: DurableTask) -> None:
        """The state of a task is about to change."""

    @abstractmethod
    def task_fails(self, task: DurableTask) -> None:
        """A task is about to end by an exception."""

    @abstractmethod
    def has_ended(self, task: DurableTask) -> None:
        """A task has ended."""

    @abstractmethod
    def runs_step_of(self, task: DurableTask) -> bool:
        """Whether what runs belongs to the step that a task is in: foreign code, or what that has set going."""


class DurableTask(Cancellable):
    """``coroutine`` as a task of the instance whose loop is ``loop``.

    ``path`` names it among the tasks of the instance, the same after a crash: the numbers of its ancestors as children.
    ``is_eager``: whether the first turn is taken at once.
    """

    __slots__ = (
        "_context",
        "_coro",
        "_name",
        "_root",
        "asked",
        "children",
        "ended",
        "has_begun",
        "is_shown",
        "order",
        "path",
        "running",
        "step_began",
        "step_place",
        "steps",
        "turn",
        "turn_place",
    )  # fmt: skip

    loop: TaskLoop
    _log_destroy_pending = False  # dropping a task is how an instance is suspended

    def __init__(
        self,
        coroutine: Any,
        *,
        loop: TaskLoop,
        name: str = "",
        path: str = "",
        context: contextvars.Context | None = None,
        is_eager: bool = False,
    ) -> None:
        super().__init__(loop=loop)
        if not coroutines.iscoroutine(coroutine):
            raise TypeError(f"a coroutine was expected, got {coroutine!r}")
        if context is not None and not isinstance(context, contextvars.Context):
            raise TypeError(f"a contextvars.Context was expected, got {type(context).__name__}")
        self._set_up(loop, coroutine)
        self._name = name
        self.path = path
        self._context = contextvars.copy_context() if context is None else context
        if self._context.get(ambient.current_driver) is not loop:  # it was given, or comes from another thread
            self._context.run(ambient.current_driver.set, loop)
        if is_eager:
            loop.begin_eagerly(self)
        else:
            loop.begin(self)

    def _set_up(self, loop: TaskLoop, coroutine: Any) -> None:
        self._set_up_cancellations(loop)
        self._name = self.path = ""
        self.set_coroutine(coroutine)
        self._context = _NO_CONTEXT
        self.is_shown = True  # in ``all_tasks``
        self.children = 0  # tasks that it has made so far
        self.steps = 0  # the number of its next key: steps that have ended, and keys that were given to none
        self.asked: Asked | None = None  # in the turn that it takes: its next key was given to the program
        self.running: RunningStep | None = None  # ... as foreign code sees it
        self.ended: Step | None = None  # has ended, and the frame is to be told
        self.has_begun = False
        self.order = 0  # among the tasks
        self.step_place = 0  # among the steps in flight
        self.step_began = 0.0  # when, if there were timers; see ``deadlines``
        self.turn: asyncio.Handle | None = None  # that is ready
        self.turn_place = 0  # among what is ready

    @classmethod
    def empty(cls, loop: TaskLoop) -> DurableTask:
        """A task to be filled by ``restore``."""
        made = cls.__new__(cls)
        OwnFuture.__init__(made, loop=loop)
        made._set_up(loop, None)
        return made

    # --- what runs

    @property
    def root(self) -> Any:
        """What takes the turns: the outermost coroutine, or the step that a foreign one is."""
        return self._root

    @property
    def coroutine(self) -> Any:
        """What it was made with."""
        return self._coro

    def set_coroutine(self, coroutine: Any, root: Any = None) -> None:
        """What it runs; ``root`` as saved."""
        self._coro = coroutine
        if root is None and coroutine is not None:
            root = coroutine if frame_behind(coroutine) is not None else Step(awaitable_of(coroutine))
        self._root = root

    def stack(self) -> list[Any]:
        """Its frames, outermost first."""
        return chain(frame_behind(self._root)) if not self.done() else []

    def drop(self) -> None:
        """Let go of what it runs: the ``finally`` blocks are for when the program gets there. Those of foreign code run now."""
        self._context.run(self._drop)

    def _drop(self) -> None:
        step, stack = self.step_at(), self.stack()
        if stack and stack[0] is not self._root:
            stack.insert(0, self._root)
        discard(stack)
        if step is not None:
            step.drop()

    def step_at(self) -> Step | None:
        """The step that it is at, whether that has begun or not."""
        stack = self.stack()
        found = awaited_by(stack[-1]) if stack else self._root
        return found if type(found) is Step else None

    def advance(self, error: BaseException | None) -> Step | None:
        """Take a turn; gives a step that the driver has to attend to, or None when the task waits or has ended."""
        return self._context.run(self._advance, error)

    def _advance(self, error: BaseException | None) -> Step | None:
        error = self._cancelled_turn(error)
        self.stops_waiting()
        ended, self.ended = self.ended, None
        if error is None and ended is not None and ended.state == FAILED:
            error = ended.deliver()
        root = self._root
        self.has_begun = True
        try:
            if error is not None and self.is_restored():
                self._prime()
            given = root.send(None) if error is None else self._throw(root, error)
            while given is PRIMED:  # a restored generator is where it was
                given = root.send(None)
        except StopIteration as stop:
            if self._must_cancel:
                self._must_cancel = False
                self._is_cancelled(self._cancel_message)
            else:
                super().set_result(stop.value)
        except asyncio.CancelledError as cancelled:
            self._cancelled_exc = _without_ours(cancelled)
            self._is_cancelled()
        except (KeyboardInterrupt, SystemExit) as leaving:
            super().set_exception(_without_ours(leaving))
            self._log_traceback = False  # it goes on to the caller of the event loop
            self.loop.has_ended(self)
            raise
        except BaseException as failed:
            self.loop.task_fails(self)
            super().set_exception(_without_ours(failed))
        else:
            return self._was_given(given)
        self.loop.has_ended(self)
        return None

    def is_restored(self) -> bool:
        """Whether it has restored frames that have not gone on yet, from an await: not from the beginning."""
        return any(map(restored_variables, self.stack()))

    def is_suspended(self) -> bool:
        """Whether its outermost frame is in the middle."""
        stack = self.stack()
        return bool(stack) and parts_of(stack[0]).state == SUSPENDED

    def waits_again(self) -> bool:
        """Whether what its innermost restored frame awaits, or what it runs itself, is a call that is to be made again."""
        stack = self.stack()
        if not stack:
            return False
        parts = parts_of(stack[-1]) if len(stack) > 1 or self._fut_waiter is not None else None
        return parts is not None and parts.state == CREATED and parts.frame is not None and STATE not in variables_in(parts.frame)

    def _prime(self) -> None:
        """Take restored frames to the await where they were, and no further, so that something can be thrown in there."""
        stack = self.stack()
        if self.waits_again():
            stack.pop().close()
            restored_variables(stack[-1])[AWAITED] = iter(()) if isinstance(stack[-1], GeneratorType) else Awaiting(iter(()))
        take_to_place(stack, self._root)

    def _show_place(self) -> None:
        """Somebody looks at its frames: restored ones that wait get to where they were."""
        if SETS_VARIABLES and self._fut_waiter is not None and self.turn is None:
            stack = self.stack()
            if any(map(restored_variables, stack)) and not self.waits_again():
                show_place(stack, self._root)

    @staticmethod
    def _throw(root: Any, error: BaseException) -> Any:
        if type(root) is Step and not hasattr(root, "throw"):
            raise error
        return root.throw(error)

    def _was_given(self, given: Any) -> Step | None:
        if type(given) is Step:
            return given
        blocking = getattr(given, "_asyncio_future_blocking", None)
        if given is None:
            self.loop.turn_soon(self)
        elif blocking is not None and not self._is_of_this_loop(given):
            self._refuse(f"Task {self!r} got Future {given!r} attached to a different loop")
        elif blocking:
            if given is self:
                self._refuse(f"Task cannot await on itself: {self!r}")
            else:
                self._wait_for(given)
        elif blocking is not None:
            self._refuse(f"yield was used instead of yield from in task {self!r} with {given!r}")
        elif inspect.isgenerator(given):
            self._refuse(f"yield was used instead of yield from for generator in task {self!r} with {given!r}")
        else:
            self._refuse(f"Task got bad yield: {given!r}")
        return None

    def _is_of_this_loop(self, future: Any) -> bool:
        loop = loop_of(future)
        return loop is self.loop or (self.step is not None and loop is self.loop.real)

    def _refuse(self, message: str) -> None:
        self.loop.turn_soon(self, RuntimeError(message))

    def _wait_for(self, future: Any) -> None:
        future._asyncio_future_blocking = False
        add_awaited_by(future, self)
        future.add_done_callback(self._wakeup, context=_NO_CONTEXT)
        self._fut_waiter = future
        self._cancel_new_waiter()

    def stops_waiting(self) -> None:
        """It goes on, or is going to make again what it awaited."""
        if self._fut_waiter is not None:
            discard_awaited_by(self._fut_waiter, self)
            self._fut_waiter = None

    def _turn(self, error: BaseException | None = None) -> None:  # noqa: ARG002
        """As a callback: take a turn. The driver takes it itself, see ``InstanceLoop.task_of``."""
        raise RuntimeError("turns are taken by the driver")

    def _wakeup(self, future: Any) -> None:
        """As a callback: what was waited for is done. Of a foreign future it runs on the loop of the process."""
        self.loop.wakes(self, future)

    @property
    def has_failed(self) -> bool:
        """Whether it has ended by an exception other than a cancellation."""
        error: Any = self._exception  # asking for it by ``exception`` would count as handling it
        return error is not None

    # --- what tasks can do

    __class__ = property(lambda _: asyncio.Task)  # for isinstance

    def __await__(self) -> Any:
        return TaskIterator(self)

    __iter__ = __await__

    def __repr__(self) -> str:
        return base_task_repr(self)  # type: ignore[no-any-return]

    def get_coro(self) -> Any:
        """See ``asyncio.Task``; as for all methods below."""
        self._show_place()
        return self._coro

    def get_context(self) -> contextvars.Context:
        return self._context

    def get_name(self) -> str:
        return self._name

    def set_name(self, value: object) -> None:
        self.loop.touch(self)
        self._name = str(value)

    def add_done_callback(self, fn: Any, /, *, context: contextvars.Context | None = None) -> None:
        self.loop.touch(self)
        super().add_done_callback(fn, context=context)

    def remove_done_callback(self, fn: Any, /) -> int:
        self.loop.touch(self)
        return super().remove_done_callback(fn)

    def set_result(self, result: Any) -> None:  # noqa: ARG002
        raise RuntimeError("Task does not support set_result operation")

    def set_exception(self, exception: Any) -> None:  # noqa: ARG002
        raise RuntimeError("Task does not support set_exception operation")

    def get_stack(self, *, limit: int | None = None) -> list[Any]:
        self._show_place()
        return base_task_get_stack(self, limit)  # type: ignore[no-any-return]

    def print_stack(self, *, limit: int | None = None, file: Any = None) -> None:
        self._show_place()
        base_task_print_stack(self, limit, file)

    @hidden_from_tracebacks
    def result(self) -> Any:
        self._is_asked()
        if self._cancelled_exc is not None:
            raise self._make_cancelled_error()
        return super().result()

    def exception(self) -> BaseException | None:
        self._is_asked()
        if self._cancelled_exc is not None:
            raise self._make_cancelled_error()
        return super().exception()

    def _is_asked(self) -> None:
        if self._cancelled_exc is not None or self._log_traceback:
            self.loop.touch(self)  # a failure that somebody has seen is not reported

    def ends_step(self) -> None:
        """The step in flight has ended."""
        self._step_has_ended()
        if self.running is not None:
            self.running.has_ended = True
        self.running = None
        self.steps += 1


DurableTask.__name__ = asyncio.Task.__name__  # messages name it


def _without_ours(error: Any) -> Any:
    """An exception whose traceback begins with the program's own frames."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    return error
