"""Exceptions on their way out of an instance: whether there is one when it is committed, and which steps run meanwhile.

Nothing is looked at before an exception is there: a step that failed or that begins while an exception is handled, a task that
waits so, a task that ended by one. Who commits then asks the frames of these tasks. Exceptions are not followed: that one was
handled is seen by its frames having left the handler.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Iterable, Iterator
from functools import partial
from types import CoroutineType
from typing import Any, NamedTuple

from ..frames.capture import is_bound, line_of, parts_of, variables_in
from ..frames.step import FAILED, Step
from ..frames.unwinding import leaves_block, unwinds
from ..hook.code_table import info_of
from ..rewrite.analysis.names import STATE
from .executors import ExecutorCall
from .task import DurableTask

MOST_STEPS = 100  # that are listed
LONGEST_WAIT = 100  # commits for which a task that nobody waits for counts, which has ended by an exception


class StepOnWayOut(NamedTuple):
    """A step that began while an exception was on its way out: what was called, and where in the program, as far as that is
    known; ``task``: the path of its task."""

    called: str
    place: str
    function: str
    task: str

    def __str__(self) -> str:
        where = f" ({self.place}, in {self.function})" if self.place else ""
        return f"{self.called}{where}"


class Unwinding:
    """Of one instance. ``steps``: of the program's own code, that began on the way out.

    A task that ended by an exception that nobody asked for counts too: somebody may ask. As long as nobody waits for it, that is
    *idle*: the next exception that is on its way out takes its place.

    ``is_kept``: the store has the state before. ``is_over``: that exception was handled since, so the next one is another.
    """

    __slots__ = (
        "_beside", "_failed", "_groups", "_is_idle", "_own", "_passes", "_suspects", "_waiting", "is_kept", "is_over",
    )  # fmt: skip

    def __init__(self, steps: Iterable[StepOnWayOut] = (), *, is_kept: bool = False) -> None:
        self._suspects: dict[str, DurableTask] = {}  # by their paths
        self._failed: weakref.WeakSet[DurableTask] = weakref.WeakSet()  # whose exceptions nobody has asked for
        self._groups: weakref.WeakSet[asyncio.TaskGroup] = weakref.WeakSet()  # that have some
        self._waiting: dict[DurableTask, Any] = {}  # tasks that may get such an exception next, by what they wait for
        self._is_idle = False  # there is nothing but exceptions that nobody waits for
        self._passes = 0  # commits since that is so
        self._own = dict.fromkeys(steps)
        self._beside: dict[StepOnWayOut, None] = {}  # of other tasks
        self.is_kept = is_kept
        self.is_over = False

    @property
    def steps(self) -> tuple[StepOnWayOut, ...]:
        """See the class."""
        return (*self._own, *self._beside)[:MOST_STEPS]

    # --- what is told

    def comes_to_await(self, task: DurableTask, *, handles: bool) -> None:
        """A task is about to wait, and handles an exception, or none."""
        if handles:
            self._suspects[task.path] = task
        elif self._suspects.pop(task.path, None) is not None:
            self._may_be_over()

    def step_failed(self, task: DurableTask) -> None:
        """A step of a task ended by an exception, which the task is about to get."""
        self._suspects[task.path] = task

    def task_fails(self, task: DurableTask, callbacks: Iterable[tuple[Any, Any]]) -> None:
        """A task is about to end by an exception; ``callbacks`` are told."""
        self._suspects.pop(task.path, None)
        self._failed.add(task)
        for callback, _ in callbacks:
            owner = getattr(callback, "__self__", None)
            if isinstance(owner, asyncio.TaskGroup):
                self._groups.add(owner)
            else:
                self._waiting.update((told, told._fut_waiter) for told in _tasks_told_by(callback))

    def is_restored(self, tasks: Iterable[DurableTask]) -> None:
        """The tasks go on from a state in which an exception was on its way out."""
        for task in tasks:
            self._suspects[task.path] = task
            for value in _values_of(task):
                if isinstance(value, asyncio.TaskGroup):
                    self._groups.add(value)
                elif type(value) is DurableTask and value.done() and value.has_failed:
                    self._failed.add(value)
            if task._fut_waiter is not None:
                self._waiting[task] = task._fut_waiter

    # --- what is asked

    def is_under_way(self) -> bool:
        """Whether an exception is on its way out of any of the tasks of the instance; none of them runs.

        It is asked before each commit meanwhile: what comes first decides, so that many tasks on their way out cost no more.
        """
        was_idle, is_asked_for = self._is_idle, any(not task._log_traceback for task in self._failed)
        self._is_idle = not self._is_on_its_way()
        if self._is_idle:
            self._passes += 1
            return bool(self._failed) and self._passes <= LONGEST_WAIT
        self._passes = 0
        if was_idle and not is_asked_for:
            self.is_over = True
            self._beside.clear()
        return True

    def _is_on_its_way(self) -> bool:
        for path in list(self._suspects):
            if self._unwinds(self._suspects[path]):
                return True
            del self._suspects[path]
        if any(map(_has_errors, self._groups)):
            return True
        self._waiting = {task: future for task, future in self._waiting.items() if task._fut_waiter is future}
        if any(map(_is_about_to_get, self._waiting)):
            return True
        for task in [task for task in self._failed if not task._log_traceback]:
            self._failed.discard(task)
        if self._failed and (self._waiting or self._groups):
            return True
        self._groups.clear()
        self._waiting.clear()
        return False

    def concerns_the_end(self) -> bool:
        """Whether the exception that has ended the instance is one that was on its way out at the last commit."""
        if self.is_over:
            return False
        return not self._is_idle or any(not task._log_traceback for task in self._failed)

    def note_step(self, task: DurableTask, step: Step) -> None:
        """A step is about to begin: it is listed if it is on the way out, and no library's manager."""
        parent = self._suspects.get(task.path.rpartition(".")[0])
        owner = parent if parent is not None and _waits_for(parent, task) else task
        stack, steps = owner.stack(), self._own
        if owner.path not in self._suspects or not any(map(unwinds, stack)):
            steps = self._beside
            if not self.is_kept or self.is_over or step.is_restored:
                return
        elif stack and owner is task and leaves_block(stack[-1]):
            return
        if len(steps) < MOST_STEPS:
            steps[_described(step, stack, owner.path)] = None

    def _may_be_over(self) -> None:
        if not self._suspects and not self._failed and not self._groups:
            self.is_over = True
            self._own.clear()
            self._beside.clear()

    @staticmethod
    def _unwinds(task: DurableTask) -> bool:
        step = task.step_at() if not task.done() else None
        if step is not None and step.state == FAILED:
            return not isinstance(step.value, StopAsyncIteration)
        return any(map(unwinds, task.stack()))


def _has_errors(group: asyncio.TaskGroup) -> bool:
    return bool(getattr(group, "_errors", None))


def _is_about_to_get(task: DurableTask) -> bool:
    """Whether a task waits for something that has ended by an exception."""
    waiter: Any = task._fut_waiter
    return waiter is not None and waiter.done() and not waiter.cancelled() and getattr(waiter, "_exception", None) is not None


def _waits_for(task: DurableTask, other: DurableTask) -> bool:
    """Whether a task waits for another one: a call in a thread is one too."""
    waiter: Any = task._fut_waiter
    return waiter is other or other in getattr(waiter, "_children", ())


def _tasks_told_by(callback: Any) -> Iterator[DurableTask]:
    """The tasks that are told by a callback of a future: by way of another future, if it is asyncio's own (``gather``)."""
    owner = getattr(callback, "__self__", None)
    if type(owner) is DurableTask:
        yield owner
    for cell in getattr(callback, "__closure__", None) or ():
        inner = cell.cell_contents if is_bound(cell) else None
        if asyncio.isfuture(inner) and not inner.done():
            told = (getattr(each, "__self__", None) for each, _ in inner._callbacks or ())
            yield from (each for each in told if type(each) is DurableTask)


def _values_of(task: DurableTask) -> Iterable[Any]:
    """What the variables of a task's frames hold, and what the containers among that hold."""
    if task._fut_waiter is not None:
        yield task._fut_waiter
    for frame in task.stack():
        parts = parts_of(frame)
        names = variables_in(parts.frame) if parts.frame is not None else {}
        for value in {**names, **names.get(STATE, {})}.values():
            yield value
            if isinstance(value, dict):
                yield from value.values()
            elif isinstance(value, (list, tuple, set, frozenset)):
                yield from value


def _described(step: Step, stack: list[Any], path: str) -> StepOnWayOut:
    called = step.awaitable
    if type(called) is ExecutorCall:
        called = called.function
    elif isinstance(called, CoroutineType) and called.cr_code is asyncio.to_thread.__code__ and called.cr_frame is not None:
        called = called.cr_frame.f_locals["func"]
    if isinstance(called, partial):  # of ``to_thread``: the context runs it
        called = called.args[0] if called.args and getattr(called.func, "__name__", "") == "run" else called.func
    name = getattr(called, "__qualname__", None) or type(called).__qualname__
    for frame in reversed(stack):
        code = parts_of(frame).code
        info = info_of(code)
        if info is not None and not info.module.is_library:
            return StepOnWayOut(str(name), f"{code.co_filename}:{line_of(frame)}", code.co_qualname, path)
    return StepOnWayOut(str(name), "", "", path)
