"""Leaving an instance that is suspended: what foreign code has begun may end as asyncio lets it, before all is dropped.

The futures that the steps in flight wait for are cancelled, and the steps run to their ends; what they give is of no use, they
are made again on resume. Then the managers that foreign code has opened are left, innermost first, each in its task and
context. The program's own frames stay where they are: nobody tells them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, NamedTuple

from ...aio.loop import InstanceLoop
from ...aio.task import DurableTask
from ...frames.capture import line_of, parts_of
from ...frames.lookup import is_awaitable
from ...frames.step import DONE, FAILED, Step
from ...holds.blocks import HoldingBlocks
from ...holds.in_task import as_task
from ...holds.kinds import type_name
from ...log import about, logger

Advance = Callable[[DurableTask, asyncio.Handle], Step | None]


def leave_instance(loop: InstanceLoop, advance: Advance, blocks: Callable[[], list[OpenBlock]], seconds: float) -> Any:
    """End what foreign code has begun, within ``seconds``; what takes longer is told, and given up.

    ``advance`` lets a task take a turn; ``blocks`` gives those that are to be left then. To be delegated to.
    """
    loop.timers.clear()  # their time does not come here
    deadline = loop.real.time() + seconds
    steps = _steps_of(loop)
    for task in steps:
        task.cancel()
    yield from _end_steps(loop, advance, steps, deadline)
    found = blocks()
    if found:
        yield from _leave_blocks(loop, found, deadline)


def has_to_leave(loop: InstanceLoop, blocks: Callable[[], list[OpenBlock]]) -> bool:
    """Whether foreign code has begun something that is to end; while the program computes only its steps are known."""
    return bool(_steps_of(loop)) or (not loop.is_inside and bool(blocks()))


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


class OpenBlock(NamedTuple):
    """A ``with`` block that is to be left: of which task, its manager, and the bound exit method of that."""

    task: DurableTask
    manager: Any
    leave: Any


def open_blocks(holding: HoldingBlocks) -> list[OpenBlock]:
    """The blocks that are to be left, those further out first: what holds, also in generators that nobody advances just now.

    What was taken without a block, and slots of semaphores, are given back: see ``taking``.
    """
    for block in list(holding.entering.values()):
        if _has_entered(block.task):
            block.is_entered()  # which the frame would tell when it goes on
    found = [block for block in holding.entered if block.leave is not None and not block.is_being_left]
    return [OpenBlock(block.task, block.manager, block.leave) for block in found]


def _has_entered(task: DurableTask) -> bool:
    """Whether the step by which a task enters a block has ended well."""
    step = task.step_at()
    return step is not None and step.state == DONE


def _leave_blocks(loop: InstanceLoop, blocks: list[OpenBlock], deadline: float) -> Any:
    by_task: dict[DurableTask, list[OpenBlock]] = {}
    for block in blocks:
        by_task.setdefault(block.task if block.task in loop.tasks else loop.root, []).append(block)
    leaving = {
        loop.real.create_task(_left(loop, task, its), context=task.get_context()): task
        for task, its in by_task.items()
        if task not in loop.in_flight
    }
    if not leaving:
        return
    try:
        yield from asyncio.wait(leaving, timeout=max(deadline - loop.real.time(), 0)).__await__()
    finally:
        for each, task in leaving.items():
            if each.cancel():
                _tell(loop, task, "a `with` block was not left in time when the instance was suspended, and was dropped")


async def _left(loop: InstanceLoop, task: DurableTask, blocks: list[OpenBlock]) -> None:
    await as_task(leave_blocks(loop, task, blocks), task)


async def leave_blocks(loop: InstanceLoop, task: DurableTask, blocks: list[OpenBlock]) -> None:
    """Leave the blocks of a task, innermost first, as a cancellation would."""
    for block in reversed(blocks):
        try:
            left = block.leave(asyncio.CancelledError, asyncio.CancelledError(), None)
            if is_awaitable(left):
                await left
        except Exception as error:
            what = f"{type_name(block.manager)} failed when it was left, as the instance was suspended: {error!r}"
            _tell(loop, task, what, error)


def _tell(loop: InstanceLoop, task: DurableTask, what: str, error: BaseException | None = None) -> None:
    stack = task.stack()
    where = f"{parts_of(stack[-1]).code.co_filename}:{line_of(stack[-1])}: " if stack else ""
    logger.warning("%s%s (instance %s)", where, what, loop.instance_id, exc_info=error, extra=about(loop.instance_id))
