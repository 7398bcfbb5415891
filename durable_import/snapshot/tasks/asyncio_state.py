"""Reducers for asyncio's objects: what belongs to an instance's loop with its state, the rest as far as it can be kept.

- The loop of an instance, and the loop of the process, are restored as the ones that run then.
- Tasks are saved by path; what they hold follows behind everything else, so that chains of tasks do not nest.
- Of primitives (locks, queues, events), waiters that are not the instance's belong to leaves in flight, which run again.
"""

from __future__ import annotations

import asyncio
import contextvars
import heapq
from collections.abc import Callable
from pickle import PicklingError
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from ...aio.awaited import future_behind
from ...aio.events import Inbox
from ...aio.loop import InstanceLoop
from ...aio.task import _NO_CONTEXT, DurableTask
from ...aio.timers import Timer
from ...frames import ambient
from ...frames.step import Step
from ...pythons.tasks import add_awaited_by, awaited_by, register_task
from ..load_context import LoadContext, current, later

if TYPE_CHECKING:
    from ..references import References

Reduced = tuple[Any, ...] | str
DECIMAL = "decimal_context"  # decimal's context variable, which no module holds under a name
_NOTHING: Any = object()


# --- loops -----------------------------------------------------------------------------------------------------------


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


def loop_state(loop: InstanceLoop, callbacks: list[tuple[int, asyncio.Handle]], timers: list[Timer]) -> tuple[Any, ...]:
    """What a loop holds beside its tasks and its inbox, to be pickled."""
    others = loop.is_ending, loop.task_factory is not None, loop.leaving, loop._exception_handler
    return (
        loop.root, callbacks, timers, loop.task_count, loop.first_place, loop.last_place, loop.incarnation,
        None if others == _USUAL else others,
    )  # fmt: skip


def inbox_state(loop: InstanceLoop) -> Inbox | None:
    """The inbox of a loop if there is something in it, to be pickled."""
    return loop.inbox if loop.inbox.holds_something else None


def fill_loop(found: LoadContext, state: tuple[Any, ...], inbox: Inbox | None) -> None:
    """The opposite, when the tasks have what they held. Steps that were in flight begin again, after what was ready."""
    loop = found.loop
    loop.root, callbacks, _, loop.task_count, loop.first_place, loop.last_place, loop.incarnation, others = state
    loop.is_ending, is_eager, loop.leaving, loop._exception_handler = others or _USUAL
    if is_eager:
        loop.task_factory = asyncio.eager_task_factory  # type: ignore[attr-defined]
    if inbox is not None:
        loop.inbox = inbox
    alive = sorted((task for task in found.tasks.values() if not task.done()), key=lambda task: task.order)
    loop.tasks = dict.fromkeys(alive)
    loop.restore_ready(callbacks)
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


# --- tasks -----------------------------------------------------------------------------------------------------------


def new_task(path: str) -> DurableTask:
    """A task; what it holds is loaded later."""
    found = current()
    task = found.tasks.get(path)
    if task is None:
        task = found.tasks[path] = DurableTask.empty(found.loop)
        task.path = path
        found.missing.append(task)
    return task


def task_frames(task: DurableTask, references: References) -> tuple[Any, ...]:
    """What the code of a task can reach, to be pickled; frames innermost first, so that calls do not nest as pickles.

    Nothing is kept of what a frame that begins again has called.
    """
    root = task.root if type(task.root) is Step else None
    stack = references.read.of(task)
    frames = stack.frames
    if not stack.is_simple:
        frames = frames[: next((place for place, frame in enumerate(frames, 1) if references.waits_again(frame)), len(frames))]
    return frames[::-1], _coroutine_of(task), root, task._context, task.ended


def task_record(task: DurableTask) -> tuple[Any, ...]:
    """What else belongs to a task, to be pickled: it changes by calls of its methods only."""
    step = None
    if task.turn is not None and task.step is None:
        name = task.turn._callback.__func__.__name__  # type: ignore[attr-defined]
        step = task.turn_place, name, task.turn._args
    return (
        task._name, task._must_cancel or task.is_step_cancelled, task._num_cancels_requested, task._cancelled_exc,
        task._fut_waiter if task.step is None else None, task.children, task.steps, task.is_shown, task.order,
        task.step_place if task.step is not None else 0, step, _future_state(task),
    )  # fmt: skip


def _coroutine_of(task: DurableTask) -> Any:
    """What a task runs; of a step of an asynchronous generator that has been taken, an ended coroutine."""
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
    _, coroutine, step, task._context, task.ended = frames
    task.set_coroutine(coroutine, step)
    (
        task._name, task._must_cancel, task._num_cancels_requested, cancelled, task._fut_waiter, task.children, task.steps,
        task.is_shown, task.order, task.step_place, step, future,
    ) = record  # fmt: skip
    fill_future(task, future)
    if task._fut_waiter is not None:
        add_awaited_by(task._fut_waiter, task)
    task._cancelled_exc = cancelled
    task.has_begun = task.is_restored() or task.is_suspended()
    if step is not None:
        task.turn_place, name, arguments = step
        task.turn = asyncio.Handle(getattr(task, name), arguments, task.loop, _NO_CONTEXT)


# --- futures and callbacks -------------------------------------------------------------------------------------------


def new_future(cls: type[asyncio.Future[Any]]) -> asyncio.Future[Any]:
    """A future of the instance; what it holds is loaded later."""
    made = cls.__new__(cls)
    asyncio.Future.__init__(made, loop=current().loop)
    return made


def reduce_future(future: asyncio.Future[Any]) -> Any:
    """A future of an instance with all that it holds; a foreign one, when it is done, as its outcome."""
    if type(future.get_loop()) is InstanceLoop:
        held: Any = object.__getstate__(future)
        attributes = dict(held or {})  # a copy: the dict itself is a part of the future
        return new_future, (type(future),), (_future_state(future), attributes), None, None, fill_own_future
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


_FUTURE_ITERATOR: type = type(asyncio.Future(loop=InstanceLoop()).__await__())


def reduce_future_iterator(iterator: Any) -> Reduced:
    """What ``await future`` iterates over; one that has ended refers to no future."""
    future = future_behind(iterator)
    return (iter, ((),)) if future is None else (await_future, (future,))


def await_future(future: asyncio.Future[Any]) -> Any:
    """The iterator of an await of a future."""
    return future.__await__()


def _future_state(future: Any) -> tuple[Any, ...]:
    plain: Any = asyncio.Future
    warns = future._log_traceback
    if not future.done():
        callbacks = [pair for pair in future._callbacks or () if not _is_native(pair[0])]
        state = "pending", None, callbacks, future._cancel_message, warns
        waiters = tuple(waiter for waiter in awaited_by(future) if _is_noted(waiter, future))
        return (*state, waiters) if waiters else state
    if future.cancelled():
        return "cancelled", None, None, future._cancel_message, warns
    error = future._exception
    if error is not None:
        return "failed", error, None, None, warns
    return "done", plain.result(future), None, None, warns


def _is_noted(waiter: Any, future: Any) -> bool:
    """Whether that a task awaits a future is to be saved: what it waits for itself is known."""
    return type(waiter) is DurableTask and waiter._fut_waiter is not future and not waiter.done()


def fill_future(future: Any, state: tuple[Any, ...]) -> None:
    """Give a future of the instance, or a task, its outcome or its callbacks."""
    status, value, callbacks, message, warns, *waiters = state
    plain: Any = asyncio.Future
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
    return type(callback).__name__.startswith("TaskWakeup") or isinstance(owner, asyncio.Task)


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


# --- contexts --------------------------------------------------------------------------------------------------------


def no_context() -> contextvars.Context:
    """The context of the callbacks that are steps."""
    return _NO_CONTEXT


def new_context() -> contextvars.Context:
    """A context with the values that are not the program's."""
    context = contextvars.copy_context()
    context.run(ambient.current_driver.set, current().loop)
    return context


NEVER_SAVED: set[contextvars.ContextVar[Any]] = set()  # context variables that belong to one life of an instance


def reduce_context(context: contextvars.Context, base: contextvars.Context) -> Reduced:
    """The variables that differ from ``base``, the context in which the instance began."""
    if context is _NO_CONTEXT:
        return no_context, ()
    items, decimals = [], None
    for variable, value in context.items():
        if base.get(variable, _NOTHING) is value or variable in NEVER_SAVED or variable.name.startswith("durable_import."):
            continue
        if variable.name == DECIMAL:
            decimals = value
        else:
            items.append((variable, value))
    if not items and decimals is None:
        return new_context, ()
    return new_context, (), (items, decimals), None, None, fill_context


def fill_context(context: contextvars.Context, state: tuple[list[tuple[Any, Any]], Any]) -> None:
    """Give the new context its values, after all tokens were made."""
    later(_fill_context, context, state)


def _fill_context(context: contextvars.Context, state: tuple[list[tuple[Any, Any]], Any]) -> None:
    items, decimals = state
    for variable, value in items:
        context.run(variable.set, value)
    if decimals is not None:
        import decimal  # which the program uses: others need not load it

        context.run(decimal.setcontext, decimals)


# --- primitives ------------------------------------------------------------------------------------------------------

_BOUND_BASES: tuple[type[Any], ...] = (
    asyncio.Queue, asyncio.Lock, asyncio.Event, asyncio.Condition, asyncio.BoundedSemaphore, asyncio.Semaphore,
    asyncio.Barrier,
)  # fmt: skip
_OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__")
_WAITING = ("_waiters", "_getters", "_putters")


def reduce_bound(primitive: Any) -> Any:
    """asyncio's Lock, Event, Queue, ... and their subclasses, with those who wait for them."""
    cls = type(primitive)
    base = next((b for b in cls.__mro__ if b in _BOUND_BASES), None)
    if base is None or any(name in vars(b) for b in cls.__mro__[:-1] for name in _OWN_WAYS):
        return NotImplemented
    if issubclass(cls, asyncio.Condition):
        return restore_condition, (cls, primitive._lock), bound_state(primitive), None, None, fill_bound
    return restore_bound, (cls, base), bound_state(primitive), None, None, fill_bound


def bound_state(primitive: Any) -> dict[str, Any]:
    """The attributes of a primitive, without its loop and without waiters of the process."""
    attributes = {name: value for name, value in vars(primitive).items() if name != "_loop"}
    for name in _WAITING:
        waiters = attributes.get(name)
        if waiters:
            attributes[name] = type(waiters)(w for w in waiters if type(w.get_loop()) is InstanceLoop)
    if isinstance(primitive, asyncio.Condition):
        for name in ("locked", "acquire", "release"):
            attributes.pop(name, None)
    return attributes


def restore_bound(cls: type[Any], base: type[Any]) -> Any:
    """A new primitive of ``cls``, initialised by the standard library's ``base`` only."""
    made = object.__new__(cls)
    if base is asyncio.Barrier:
        base.__init__(made, 1)
    else:
        base.__init__(made)
    return made


def restore_condition(cls: type[Any], lock: asyncio.Lock) -> Any:
    """A condition over ``lock``, whose methods it borrows."""
    made = object.__new__(cls)
    asyncio.Condition.__init__(made, lock)
    return made


def fill_bound(primitive: Any, attributes: dict[str, Any]) -> None:
    """What the primitive held; attributes that only another Python version has stay as they are."""
    primitive.__dict__.update(attributes)


def reduce_lone_context(context: contextvars.Context) -> Reduced:
    """A context with all its variables, where no instance is known."""
    return reduce_context(context, contextvars.Context())


TABLE: dict[type, Callable[[Any], Any]] = {
    contextvars.Context: reduce_lone_context,
    asyncio.Handle: reduce_handle,
    asyncio.TimerHandle: reduce_handle,
    Timer: reduce_handle,
    InstanceLoop: reduce_loop,
    _FUTURE_ITERATOR: reduce_future_iterator,
}
