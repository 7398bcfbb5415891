"""Reducers for futures, callbacks and timers: of an instance with all that they hold, others as far as they can be kept."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from pickle import PicklingError
from typing import Any

from ...aio.awaited import future_behind
from ...aio.loop import InstanceLoop
from ...aio.task import DurableTask
from ...aio.timers import Timer
from ...pythons.tasks import NATIVE_TASKS, OwnFuture, PythonFuture, add_awaited_by, awaited_by
from ..load_context import current

Reduced = tuple[Any, ...] | str


def new_future(cls: type[asyncio.Future[Any]]) -> asyncio.Future[Any]:
    """A future of the instance; what it holds is loaded later."""
    made = cls.__new__(cls)
    _plain_class(made).__init__(made, loop=current().loop)
    return made


def reduce_future(future: asyncio.Future[Any]) -> Any:
    """A future of an instance with all that it holds; a foreign one, when it is done, as its outcome."""
    if type(future.get_loop()) is InstanceLoop:
        held: Any = object.__getstate__(future)
        attributes = dict(held or {})  # a copy: the dict itself is a part of the future
        cls: Any = type(future)
        if isinstance(future, PythonFuture):  # which has in its dict what the other keeps in C
            attributes = {name: value for name, value in attributes.items() if name not in _OWN_ATTRIBUTES}
            cls = OwnFuture if cls is PythonFuture else cls  # the two have one name, and only one of them is found by it
        return new_future, (cls,), (future_state(future), attributes), None, None, fill_own_future
    if not future.done():
        raise PicklingError(
            f"a {type(future).__name__} that is not done and was not made by durable code: await it where it is made, or mark "
            "the module that makes it with `# durable: on`"
        )
    if future.cancelled():
        return restore_future, ("cancelled", None)
    error = future.exception()
    return restore_future, ("result", future.result()) if error is None else ("error", error)


def restore_future(kind: str, outcome: Any) -> asyncio.Future[Any]:
    """A done foreign future; of a task only the outcome is left."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    if kind == "cancelled":
        future.cancel()
    elif kind == "error":
        future.set_exception(outcome)
        future.exception()  # it was asked for before: nobody is to be warned
    else:
        future.set_result(outcome)
    return future


def fill_own_future(future: asyncio.Future[Any], state: tuple[Any, dict[str, Any]]) -> None:
    """Give a future of the instance what it held."""
    held, attributes = state
    for name, value in attributes.items():
        setattr(future, name, value)
    fill_future(future, held)


_OWN_ATTRIBUTES = {*vars(PythonFuture), "_callbacks"}
_FUTURE_ITERATOR: type = type(asyncio.Future(loop=InstanceLoop()).__await__())


def _plain_class(future: Any) -> Any:
    """Which of asyncio's own classes a future is derived from."""
    return OwnFuture if isinstance(future, OwnFuture) else PythonFuture


def reduce_future_iterator(iterator: Any) -> Reduced:
    """What ``await future`` iterates over; one that has ended refers to no future."""
    future = future_behind(iterator)
    return (iter, ((),)) if future is None else (await_future, (future,))


def await_future(future: asyncio.Future[Any]) -> Any:
    """The iterator of an await of a future."""
    return future.__await__()


def future_state(future: Any) -> tuple[Any, ...]:
    warns = future._log_traceback
    if not future.done():
        callbacks = [pair for pair in future._callbacks or () if not _is_native(pair[0])]
        message = future.message_kept() if type(future) is DurableTask else future._cancel_message
        waiters = [waiter for waiter in awaited_by(future) if _is_noted(waiter, future)]
        state = "pending", None, callbacks, message, warns
        return (*state, tuple(waiters)) if waiters else state
    if future.cancelled():
        return "cancelled", None, None, future._cancel_message, warns
    error = future._exception
    if error is not None:
        return "failed", error, None, None, warns
    return "done", _plain_class(future).result(future), None, None, warns


def _is_noted(waiter: Any, future: Any) -> bool:
    """Whether that a task awaits a future is to be saved: what it waits for itself is known."""
    return type(waiter) is DurableTask and waiter._fut_waiter is not future and not waiter.done()


def fill_future(future: Any, state: tuple[Any, ...]) -> None:
    """Give a future of the instance, or a task, its outcome or its callbacks."""
    status, value, callbacks, message, warns, *waiters = state
    plain = _plain_class(future)
    if status == "done":
        plain.set_result(future, value)
    elif status == "failed":
        plain.set_exception(future, value)
    elif status == "cancelled":
        plain.cancel(future, message)
    else:
        future._cancel_message = message
        for callback, context in callbacks:
            future.add_done_callback(callback, context=context)
        for waiter in waiters[0] if waiters else ():
            add_awaited_by(future, waiter)
    if not warns:
        future._log_traceback = False


def _is_native(callback: Callable[..., Any]) -> bool:
    """Whether a callback wakes a task of the process, which waits for a future of the instance in a step."""
    owner = getattr(callback, "__self__", None)
    if type(owner) is DurableTask:
        return False
    return type(callback).__name__.startswith("TaskWakeup") or isinstance(owner, NATIVE_TASKS)


def new_handle(cls: type[asyncio.Handle]) -> asyncio.Handle:
    """A callback to come; what it holds is loaded later."""
    return cls.__new__(cls)


_HANDLE = ("_callback", "_args", "_cancelled", "_context")
_TIMER = (*_HANDLE, "_when", "_scheduled", "place")


def reduce_handle(handle: Any) -> Reduced:
    """A callback or timer of an instance's loop."""
    if type(handle._loop) is not InstanceLoop:
        raise PicklingError("a callback that waits in the event loop of the process")
    names = _TIMER if isinstance(handle, asyncio.TimerHandle) else _HANDLE
    return new_handle, (type(handle),), {name: getattr(handle, name) for name in names}, None, None, fill_handle


def fill_handle(handle: Any, state: dict[str, Any]) -> None:
    """Give a callback what it held."""
    handle._loop, handle._source_traceback, handle._repr = current().loop, None, None
    for name, value in state.items():
        setattr(handle, name, value)
    if state.get("_scheduled") and not state["_cancelled"]:
        heapq.heappush(handle._loop.timers, handle)


TABLE: dict[type, Callable[[Any], Any]] = {
    asyncio.Handle: reduce_handle,
    asyncio.TimerHandle: reduce_handle,
    Timer: reduce_handle,
    _FUTURE_ITERATOR: reduce_future_iterator,
}
