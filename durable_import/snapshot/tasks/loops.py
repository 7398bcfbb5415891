"""The loop of an instance, and the loop of the process: restored as the ones that run then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

from ...aio.deadlines import Interruption
from ...aio.events import Inbox
from ...aio.loop import InstanceLoop
from ...aio.timers import Timer
from ...pythons.tasks import register_task
from ..load_context import LoadContext, current

Reduced = tuple[Any, ...] | str


def instance_loop() -> InstanceLoop:
    """The loop of the instance being loaded."""
    return current().loop


def running_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs when the snapshot is loaded."""
    return asyncio.get_running_loop()


def reduce_loop(loop: asyncio.AbstractEventLoop) -> Reduced:
    """The running loop is restored as the loop that runs then; no other loop can be kept."""
    if type(loop) is InstanceLoop:
        return instance_loop, ()
    if loop.is_closed() or not loop.is_running():
        raise PicklingError("an event loop that does not run")
    return running_loop, ()


_USUAL = (False, False, None, None)  # the last part of the state of most loops


def loop_state(
    loop: InstanceLoop,
    callbacks: list[tuple[int, asyncio.Handle]],
    timers: list[Timer],
    can_be_saved: Callable[[Any], bool],
) -> tuple[Any, ...]:
    """What a loop holds beside its tasks and its inbox, to be pickled."""
    others: tuple[Any, ...] = (loop.is_ending, loop.task_factory is not None, loop.leaving, loop._exception_handler)
    slots = slots_of(loop) if loop.taken else ()
    settings = loop.kept_settings(can_be_saved)
    if loop.signal_handlers or slots or settings is not None:
        more = (slots, settings) if settings is not None else (slots,) if slots else ()
        others = (*others, loop.signal_handlers, *more)
    return (
        loop.root,
        callbacks,
        timers,
        loop.task_count,
        loop.first_place,
        loop.last_place,
        loop.incarnation,
        None if others == _USUAL else others,
    )


def slots_of(loop: InstanceLoop) -> tuple[tuple[Any, str, str], ...]:
    """The semaphores that an instance shares with others and has taken a slot of, one for each slot: with the path of the task
    that took it, and the place where. What a step under way has taken it takes again by itself."""
    return tuple(
        (each.primitive, each.task.path, each.place)
        for each in loop.taken or ()
        if isinstance(each.primitive, asyncio.Semaphore) and not each.is_of_step()
    )


def inbox_state(loop: InstanceLoop) -> Inbox | None:
    """The inbox of a loop if there is something in it, to be pickled."""
    return loop.inbox if loop.inbox.holds_something else None


def fill_loop(found: LoadContext, state: tuple[Any, ...], inbox: Inbox | None, moment: float | None) -> None:
    """The opposite, when the tasks have what they held. Steps that were in flight begin again, after what was ready.

    ``moment``: when the checkpoint was made, if there were timers.
    """
    loop = found.loop
    loop.root, callbacks, _, loop.task_count, loop.first_place, loop.last_place, loop.incarnation, others = state
    loop.is_ending, is_eager, loop.leaving, loop._exception_handler, *more = others or _USUAL
    loop.signal_handlers = more[0] if more else None
    loop.slots = more[1] if len(more) > 1 else ()
    loop.fill_settings(more[2] if len(more) > 2 else None)
    if is_eager:
        loop.task_factory = asyncio.eager_task_factory  # type: ignore[attr-defined]
    if inbox is not None:
        loop.inbox = inbox
    alive = sorted((task for task in found.tasks.values() if not task.done()), key=lambda task: task.order)
    loop.tasks = dict.fromkeys(alive)
    loop.restore_ready(callbacks)
    if moment is not None and loop.timers:
        steps = {task: (task.step_place, task.step_began) for task in alive if task.step_place}
        loop.interruption = Interruption(moment, steps, [task for task in alive if task.turn is not None])
    for task in sorted((task for task in alive if task.step_place), key=lambda task: task.step_place):
        task.step_place = 0
        loop.turn_soon(task)
    for task in alive:
        if task._fut_waiter is not None and task.turn is None and task.waits_again():
            task.stops_waiting()
            loop.turn_soon(task)
        if task.is_shown:
            register_task(task)
    loop.is_dirty = False


TABLE: dict[type, Callable[[Any], Any]] = {InstanceLoop: reduce_loop}
