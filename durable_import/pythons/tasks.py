"""The running loop and the running task, as asyncio keeps them.

Until Python 3.13 each loop has a running task. Since 3.14 each thread has one, kept in C, and a change of it has to name the
loop that is running. What is here is right in both worlds, if it is called in the order that the second one demands.
"""

from __future__ import annotations

import asyncio
import inspect
from asyncio.base_events import BaseEventLoop
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .names import private
from .versions import ONE_TASK_A_THREAD

set_running_loop: Any = private("asyncio.events._set_running_loop")
get_running_loop: Any = private("asyncio.events._get_running_loop")
loop_of: Any = private("asyncio.futures._get_loop")  # also of what only behaves like a future
LoopBound: Any = private("asyncio.mixins._LoopBoundMixin")  # the base of locks, queues, events
register_task: Any = private("asyncio.tasks._register_task")
unregister_task: Any = private("asyncio.tasks._unregister_task")
NATIVE_TASKS: tuple[type, ...] = tuple({asyncio.Task, private("asyncio.tasks._PyTask")})  # asyncio's own classes
PythonFuture: Any = private("asyncio.futures._PyFuture")
#: asyncio's own class as it is before a program puts another one there, as ``nest_asyncio`` does.
OwnFuture: Any = asyncio.Future
FUTURES: tuple[type[asyncio.Future[Any]], ...] = tuple({OwnFuture, PythonFuture})
_current_tasks: Any = private("asyncio.tasks._current_tasks")
_register_eager_task: Any = private("asyncio.tasks._register_eager_task")
_unregister_eager_task: Any = private("asyncio.tasks._unregister_eager_task")
#: Note, or forget, that a future is awaited by a task: what ``asyncio.capture_call_graph`` shows, since Python 3.14.
add_awaited_by: Any = getattr(asyncio, "future_add_to_awaited_by", lambda *_: None)
discard_awaited_by: Any = getattr(asyncio, "future_discard_from_awaited_by", lambda *_: None)


def awaited_by(future: Any) -> tuple[Any, ...]:
    """The tasks that are noted to await a future."""
    return tuple(getattr(future, "_asyncio_awaited_by", None) or ())


def _leave_and_enter(loop: Any, task: Any) -> Any:
    """As ``asyncio.tasks._swap_current_task``, which Python 3.11 does not have."""
    before = _current_tasks.pop(loop, None)
    if task is not None:
        _current_tasks[loop] = task
    return before


#: Makes a task, or none, the running one of a loop, since 3.14 of the thread whose running loop that is; gives the one before.
swap_current_task: Any = private("asyncio.tasks._swap_current_task") or _leave_and_enter


@contextmanager
def running_task(task: Any) -> Iterator[None]:
    """``task`` is the running one of the running loop in the block."""
    loop = asyncio.get_running_loop()
    outside = swap_current_task(loop, task)
    try:
        yield
    finally:
        swap_current_task(loop, outside)


@contextmanager
def begun_eagerly(task: Any, loop: Any, outer: Any) -> Iterator[None]:
    """``task`` takes its first turn in the block, within that of another one; ``outer``: the loop that ``loop`` runs on.

    Since Python 3.12.
    """
    within = swap_current_task(loop, task)
    without = swap_current_task(outer, task) if not ONE_TASK_A_THREAD else None
    _register_eager_task(task)
    try:
        yield
    finally:
        _unregister_eager_task(task)
        if not ONE_TASK_A_THREAD:
            swap_current_task(outer, without)
        swap_current_task(loop, within)


def _name_and_context(*, name: Any = None, context: Any = None) -> dict[str, Any]:
    return {"name": name, "context": context}


def _all_options(**options: Any) -> dict[str, Any]:
    return options


_name_and_context.__qualname__ = "BaseEventLoop.create_task"  # which its TypeError names

#: What ``create_task`` of a loop was told beside the coroutine: a name and a context, since 3.13.3 all that a task takes.
task_options: Any = _all_options if BaseEventLoop.create_task.__code__.co_flags & inspect.CO_VARKEYWORDS else _name_and_context


def is_eager_factory(factory: Any) -> bool:
    """Whether a task factory is ``asyncio.eager_task_factory``, or another one that makes asyncio's own tasks eagerly."""
    eager = getattr(asyncio, "eager_task_factory", None)  # since Python 3.12
    if eager is None or getattr(factory, "__code__", None) is not eager.__code__:
        return False
    return factory.__closure__[0].cell_contents in NATIVE_TASKS
