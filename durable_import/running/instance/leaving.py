"""Leaving an instance that is suspended: what foreign code has begun may end as asyncio lets it, before all is dropped.

The futures that the steps in flight wait for are cancelled, and the steps run to their ends; what they give is of no use, they
are made again on resume. Then the managers that foreign code has opened are left, innermost first, each in its task and
context. The program's own frames stay where they are: nobody tells them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from ...aio.loop import InstanceLoop
from ...aio.task import DurableTask
from ...frames.capture import FrameState, line_of, parts_of
from ...frames.lookup import is_awaitable
from ...frames.step import FAILED, Step
from ...holds.in_task import as_task
from ...log import about, logger
from ...snapshot.with_blocks.blocks import blocks_of, is_entering, is_leaving, leave_of

Advance = Callable[[DurableTask, asyncio.Handle], Step | None]
IsLeft = Callable[[Any, Any], bool]  # of a manager and its bound exit method


def leave_instance(loop: InstanceLoop, advance: Advance, is_left: IsLeft, seconds: float) -> Any:
    """End what foreign code has begun, within ``seconds``; what takes longer is told, and given up.

    ``advance`` lets a task take a turn; ``is_left`` says whether a manager is to be left. To be delegated to.
    """
    loop.timers.clear()  # their time does not come here
    deadline = loop.real.time() + seconds
    steps = _steps_of(loop)
    for task in steps:
        task.cancel()
    yield from _end_steps(loop, advance, steps, deadline)
    tasks = [task for task in loop.tasks if task not in loop.in_flight and _stands_in_blocks(task, is_left)]
    if tasks:
        yield from _leave_blocks(loop, tasks, is_left, deadline)


def has_to_leave(loop: InstanceLoop, is_left: IsLeft) -> bool:
    """Whether foreign code has begun something that is to end; while the program computes only its steps are known."""
    if loop.is_inside:
        return bool(_steps_of(loop))
    return bool(_steps_of(loop)) or any(_stands_in_blocks(task, is_left) for task in loop.tasks)


def _steps_of(loop: InstanceLoop) -> dict[DurableTask, Step]:
    """The steps that are to end. A future that the program awaits itself is not the step's: others may wait for it too."""
    return {task: step for task, step in loop.in_flight.items() if not asyncio.isfuture(step.awaitable)}


def _end_steps(loop: InstanceLoop, advance: Advance, steps: dict[DurableTask, Step], deadline: float) -> Any:
    while True:
        _advance_steps(loop, advance, steps)
        under_way = [task for task in steps if task in loop.in_flight]
        if not under_way:
            return
        if loop.real.time() >= deadline:
            for task in under_way:
                _tell(loop, task, "a step did not end in time when the instance was suspended: its cleanup is cut")
            return
        waiter = loop.begin_wait()
        timer = loop.real.call_at(deadline, waiter.cancel)
        try:
            if not loop.ready:
                yield from asyncio.wait([waiter]).__await__()
            else:
                yield
        finally:
            loop.end_wait()
            timer.cancel()


def _advance_steps(loop: InstanceLoop, advance: Advance, steps: dict[DurableTask, Step]) -> None:
    """Let the steps that are ready go on. What else is ready is the program's, which stands still."""
    for _ in range(len(loop.ready)):
        handle = loop.ready.popleft()
        task = loop.task_of(handle)
        if task is None or task not in loop.in_flight:
            continue
        task.turn = None
        advance(task, handle)
        step = steps.get(task)
        if step is not None and step.state == FAILED and not isinstance(step.value, asyncio.CancelledError):
            _tell(loop, task, f"a step failed when it was cancelled, as the instance was suspended: {step.value!r}", step.value)


def _stands_in_blocks(task: DurableTask, is_left: IsLeft) -> bool:
    return any(_is_left(state, name, is_left) for _, name, state in blocks_of(task.stack()))


def _is_left(state: FrameState, name: str, is_left: IsLeft) -> bool:
    if is_entering(state, name) or is_leaving(state, name):
        return False
    return is_left(state.variables[name], state.variables.get(leave_of(state, name)))


def _leave_blocks(loop: InstanceLoop, tasks: list[DurableTask], is_left: IsLeft, deadline: float) -> Any:
    leaving = {loop.real.create_task(_left(loop, task, is_left), context=task.get_context()): task for task in tasks}
    try:
        yield from asyncio.wait(leaving, timeout=max(deadline - loop.real.time(), 0)).__await__()
    finally:
        for each, task in leaving.items():
            if each.cancel():
                _tell(loop, task, "a `with` block was not left in time when the instance was suspended, and was dropped")


async def _left(loop: InstanceLoop, task: DurableTask, is_left: IsLeft) -> None:
    await as_task(leave_blocks(loop, task, is_left), task)


async def leave_blocks(loop: InstanceLoop, task: DurableTask, is_left: IsLeft) -> None:
    """Leave the blocks that a task stands in and whose managers are to be left, innermost first, as a cancellation would."""
    for _, name, state in reversed(list(blocks_of(task.stack()))):
        manager = state.variables[name]
        if not _is_left(state, name, is_left):
            continue
        try:
            left = state.variables[leave_of(state, name)](asyncio.CancelledError, asyncio.CancelledError(), None)
            if is_awaitable(left):
                await left
        except Exception as error:
            kind = type(manager).__name__
            _tell(loop, task, f"{kind} failed when it was left, as the instance was suspended: {error!r}", error)


def _tell(loop: InstanceLoop, task: DurableTask, what: str, error: BaseException | None = None) -> None:
    stack = task.stack()
    where = f"{parts_of(stack[-1]).code.co_filename}:{line_of(stack[-1])}: " if stack else ""
    logger.warning("%s%s (instance %s)", where, what, loop.instance_id, exc_info=error, extra=about(loop.instance_id))
