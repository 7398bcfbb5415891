"""Deadlines around steps that are made again: they are moved on, so that an outage does not use them up.

Time goes by the wall clock, also while nobody runs: sleeps, timers, waits for events. A step that was in flight is made again
from its beginning, and has the time for it that it had when it began. So each deadline around it is moved on by as much as has
passed since it began in its last life; if several steps are inside, since the first of them began. A deadline that was set when
the step had begun already is moved on by what has passed since the last checkpoint; so are those around what was about to go on
then.

A deadline is *around* a step if it belongs to the task that makes the step, or to one that waits for that task, directly or
through ``gather``, ``wait``, ``wait_for``, ``as_completed``, ``shield`` or a task group. Deadlines are those of ``timeout``,
``timeout_at``, ``wait_for``, ``wait`` and ``as_completed``, scopes of anyio, and timers that cancel a task.
"""

from __future__ import annotations

import asyncio
import functools
import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any, TypeGuard

from ..pythons.tasks import FUTURES
from .task import DurableTask
from .timers import Timer, TimerLoop

_SCOPES = ("Timeout", "CancelScope")  # classes of asyncio and anyio whose timers end what a task does, which they hold
_GROUPS = ("TaskGroup",)
_COMPLETING = ("_AsCompletedIterator",)  # what ``as_completed`` gives
_LIBRARIES = ("asyncio.", "anyio.", "durable_import.pythons.earlier.")


@dataclass(frozen=True, slots=True)
class Interruption:
    """What an instance was at when the checkpoint was made that it goes on from.

    ``steps``: of each task with a step in flight, the place and the moment of its beginning. ``ready``: the tasks that were about
    to go on.
    """

    moment: float
    steps: dict[DurableTask, tuple[int, float]]
    ready: list[DurableTask]


def move_deadlines(loop: TimerLoop, before: Interruption) -> None:
    """The instance goes on now: see the module."""
    now = loop.time()
    by_target: defaultdict[int, list[Timer]] = defaultdict(list)
    for timer in loop.timers:
        if not timer.cancelled():
            for target in _targets(timer._callback, timer._args):
                by_target[id(target)].append(timer)
    if not by_target:
        return
    delays: dict[int, tuple[Timer, float]] = {}
    begun = [(task, place, when) for task, (place, when) in before.steps.items()]
    for task, place, when in [*begun, *((task, 0, 0.0) for task in before.ready)]:
        for timer in [timer for held in _around(task) for timer in by_target.get(id(held), ())]:
            since = when if timer.place < place and when else before.moment
            delay = max(now - since, delays[id(timer)][1] if id(timer) in delays else 0.0)
            delays[id(timer)] = timer, delay
    for timer, delay in delays.values():
        _move(timer, delay)
    heapq.heapify(loop.timers)


def _move(timer: Timer, delay: float) -> None:
    before = timer._when
    timer._when += delay
    scope = getattr(timer._callback, "__self__", None)
    if _is_one_of(scope, _SCOPES):
        for name, value in _attributes_of(scope).items():
            if value == before:
                setattr(scope, name, timer._when)


def _targets(callback: Any, arguments: Iterable[Any]) -> Iterator[Any]:
    """What a timer is about: a task that it ends, or a future that a task waits for no longer than that."""
    owner = getattr(callback, "__self__", None)
    if _is_one_of(owner, _SCOPES):
        yield from _futures_of(owner)
    elif isinstance(owner, FUTURES):
        if callback.__name__ == "cancel":
            yield owner
    elif _is_one_of(owner, _COMPLETING):
        yield owner
    elif _is_of_asyncio(callback):
        yield from (value for value in arguments if isinstance(value, FUTURES))
        yield from _captured(callback)


def _around(task: DurableTask) -> list[Any]:
    """The task, and all that waits for it to end."""
    found: list[Any] = [task]
    seen = {id(task)}
    for held in found:  # which grows
        for callback, *_ in (held._callbacks or ()) if isinstance(held, FUTURES) else ():
            for waiting in _waiting_by(callback):
                if id(waiting) not in seen:
                    seen.add(id(waiting))
                    found.append(waiting)
    return found


def _waiting_by(callback: Any) -> Iterator[Any]:
    """Who is told by a callback at the end of a task."""
    if isinstance(callback, functools.partial):
        if _is_of_asyncio(callback.func):
            yield from (value for value in callback.args if isinstance(value, FUTURES))
        return
    owner = getattr(callback, "__self__", None)
    if isinstance(owner, FUTURES):
        yield owner
    elif _is_one_of(owner, _COMPLETING):
        yield owner
        queues = (value for value in _attributes_of(owner).values() if isinstance(value, asyncio.Queue))
        yield from (getter for queue in queues for getter in _getters_of(queue))
    elif _is_one_of(owner, _GROUPS):
        yield from _futures_of(owner)
    elif _is_of_asyncio(callback):
        yield from _captured(callback)


def _captured(function: Any) -> Iterator[Any]:
    """The futures that a function of asyncio's tells; a queue tells who waits for something to be in it."""
    for cell in (function.__closure__ or ()) if isinstance(function, FunctionType) else ():
        try:
            held = cell.cell_contents
        except ValueError:  # it is not bound yet
            continue
        if isinstance(held, FUTURES):
            yield held
        elif isinstance(held, asyncio.Queue):
            yield held
            yield from _getters_of(held)
        elif _is_one_of(held, _GROUPS):
            yield from _futures_of(held)


def _getters_of(queue: Any) -> list[Any]:
    """Who waits for something to be in a queue."""
    return list(queue._getters)


def _attributes_of(holder: Any) -> dict[str, Any]:
    """What an object of a Python class holds, in slots too."""
    state = object.__getstate__(holder)
    parts = state if isinstance(state, tuple) else (state,)
    return {name: value for part in parts for name, value in (part or {}).items()}


def _futures_of(holder: Any) -> Iterator[Any]:
    """The futures, and tasks, that a task group or a scope has: of a group of anyio, those of its scope too."""
    yield from (value for value in _attributes_of(holder).values() if isinstance(value, FUTURES))
    scope = getattr(holder, "cancel_scope", None)
    if _is_one_of(scope, _SCOPES):
        yield from _futures_of(scope)


def _is_one_of(value: Any, names: tuple[str, ...]) -> TypeGuard[Any]:
    """Whether it is an instance of one of these classes of asyncio or anyio."""
    cls = type(value)
    return cls.__name__ in names and f"{cls.__module__}.".startswith(_LIBRARIES)


def _is_of_asyncio(function: Any) -> bool:
    """Whether a function is one of asyncio's, or anyio's."""
    return f"{getattr(function, '__module__', None)}.".startswith(_LIBRARIES)
