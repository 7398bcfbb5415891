"""Tasks are saved by path; what they hold follows behind everything else, so that chains of tasks do not nest."""

from __future__ import annotations

import asyncio
from types import CoroutineType
from typing import Any

from ...aio.task import _NO_CONTEXT, DurableTask
from ...frames.capture import FRAME_TYPES, restored_variables
from ...pythons.tasks import add_awaited_by
from ..load_context import current
from .futures import fill_future, future_state

_TURNS: dict[str, Any] = {"_step": DurableTask._turn, "_wakeup": DurableTask._wakeup}  # by their names in snapshots
_NAMES = {method: name for name, method in _TURNS.items()}


def new_task(path: str) -> DurableTask:
    """A task; what it holds is loaded later."""
    found = current()
    task = found.tasks.get(path)
    if task is None:
        task = found.tasks[path] = DurableTask.empty(found.loop)
        task.path = path
        found.missing.append(task)
    return task


def task_record(task: DurableTask) -> tuple[Any, ...]:
    """What else belongs to a task, to be pickled: it changes by calls of its methods only."""
    turn = None
    is_cancelled, cancellations = task.cancellation_kept()
    if task.turn is not None and task.step is None:
        name = _NAMES[task.turn._callback.__func__]  # type: ignore[attr-defined]
        turn = task.turn_place, name, task.turn._args
    return (
        task._name,
        is_cancelled,
        cancellations,
        task._cancelled_exc,
        task._fut_waiter if task.step is None else None,
        task.children,
        task.steps,
        task.is_shown,
        task.order,
        _beginning_of_step(task),
        turn,
        future_state(task),
    )


def _beginning_of_step(task: DurableTask) -> Any:
    """The place of the step in flight, with the moment if that may be asked for."""
    if task.step is None:
        return 0
    return (task.step_place, task.step_began) if task.step_began else task.step_place


def coroutine_of(task: DurableTask) -> Any:
    """What a task runs; of a step of an asynchronous generator that has been made, an ended coroutine."""
    if task._coro is None or type(task._coro) is CoroutineType or not task.done():
        return task._coro
    return ended_coroutine()


async def _nothing() -> None:
    return


def ended_coroutine() -> Any:
    """One that has ended."""
    coroutine = _nothing()
    coroutine.close()
    return coroutine


def fill_task(task: DurableTask, frames: tuple[Any, ...], record: tuple[Any, ...]) -> None:
    """Give a task what it held."""
    stack, coroutine, step, task._context, task.ended = frames
    task.set_coroutine(coroutine, step)
    (
        task._name,
        task._must_cancel,
        task._num_cancels_requested,
        cancelled,
        task._fut_waiter,
        task.children,
        task.steps,
        task.is_shown,
        task.order,
        begun,
        turn,
        future,
    ) = record
    task.step_place, task.step_began = begun if isinstance(begun, tuple) else (begun, 0.0)
    fill_future(task, future)
    if task._fut_waiter is not None:
        add_awaited_by(task._fut_waiter, task)
    task._cancelled_exc = cancelled
    restored = (restored_variables(frame) for frame in stack if isinstance(frame, FRAME_TYPES))
    task.has_begun = any(restored) or task.is_suspended()
    if turn is not None:
        task.turn_place, name, arguments = turn
        task.turn = asyncio.Handle(_TURNS[name].__get__(task), arguments, task.loop, _NO_CONTEXT)
