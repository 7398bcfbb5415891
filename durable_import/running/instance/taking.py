"""What an instance has taken of that which instances share: slots of semaphores are taken again before it goes on."""

from __future__ import annotations

import asyncio

from ...aio.loop import InstanceLoop
from ...aio.taking import Taken, give_back, leave_queue, waiters_of
from ...aio.task import DurableTask
from ...frames.capture import parts_of, variables_in
from ...hook.code_table import info_of
from ...log import about, logger
from ...pythons.tasks import LoopBound
from ...snapshot.encoder import Encoder


async def take_again(loop: InstanceLoop) -> None:
    """Take the slots that a restored instance had, in the order of then; others may have to end first."""
    tasks = {task.path: task for task in loop.tasks}
    try:
        for semaphore, path, place in loop.slots:
            context = loop.root.get_context().copy()
            await asyncio.create_task(_acquire(semaphore), context=context)
            Taken(semaphore, loop, tasks.get(path, loop.root), place).begin()
    except BaseException:
        give_back(loop)
        raise


async def _acquire(semaphore: asyncio.Semaphore) -> None:
    await semaphore.acquire()


def tell_given_back(loop: InstanceLoop, given: list[Taken]) -> None:
    """An instance has ended with something that it had taken."""
    for taken in given:
        logger.warning(
            "instance %s has ended and had not released the %s that it took at %s: it was released, since others would wait for "
            "it for ever",
            loop.instance_id, type(taken.primitive).__name__, taken.place, extra=about(loop.instance_id),
        )  # fmt: skip


def waits_for_others(loop: InstanceLoop, encoder: Encoder) -> bool:
    """Whether a task waits for something that another instance may give back, or put there."""
    if not loop.queues:
        return False
    for primitive in list(loop.queues):
        if not any(future.get_loop() is loop and not future.done() for future in waiters_of(primitive)):
            loop.queues.discard(primitive)
        elif encoder.is_shared(primitive):
            return True
    return False


def leave_queues(task: DurableTask) -> None:
    """A task is let go of: if it waits for one of asyncio's primitives, others do not wait behind it."""
    for frame in task.stack():
        parts = parts_of(frame)
        info = info_of(parts.code)
        if info is None or not info.module.is_library or parts.frame is None:
            continue
        variables = variables_in(parts.frame)
        primitive = variables.get("self")
        if isinstance(primitive, LoopBound):
            leave_queue(primitive, variables)
