"""Reducers for what belongs to a process: locks, loops, context variables, modules; and clear refusals of the rest.

- A free lock is restored as a new one; one that is held cannot be: its holder would not be restored with it.
- asyncio's primitives are kept without the loop they are bound to (they bind again at their next use); the event loop
  itself is restored as the loop that runs then.
- Context variables and modules are kept by name. A ``contextvars.Token`` is made anew *in the context in which the
  snapshot is loaded*: load inside the program's context, before the values of its variables are put back.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import decimal
import importlib
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pickle import PicklingError
from types import ModuleType
from typing import Any

Reduced = tuple[Any, ...] | str

# --- threads' primitives ---------------------------------------------------------------------------------------------

_Lock = type(threading.Lock())
_RLock = type(threading.RLock())


def restore_lock(reentrant: bool) -> Any:
    """A new, free lock."""
    return threading.RLock() if reentrant else threading.Lock()


def _reduce_lock(lock: Any) -> Reduced:
    reentrant = type(lock) is _RLock
    held = lock._is_owned() if reentrant else lock.locked()
    if not held and reentrant:
        held = not lock.acquire(blocking=False)
        if not held:
            lock.release()
    if held:
        raise PicklingError("a lock that is held; release it before the await, or use asyncio.Lock")
    return restore_lock, (reentrant,)


def _reduce_condition(condition: Any) -> Reduced:
    if condition._waiters:
        raise PicklingError("a threading.Condition on which a thread waits")
    return threading.Condition, (condition._lock,)


def restore_event(is_set: bool) -> threading.Event:
    """A new event."""
    event = threading.Event()
    if is_set:
        event.set()
    return event


def _reduce_event(event: threading.Event) -> Reduced:
    if event._cond._waiters:  # type: ignore[attr-defined]
        raise PicklingError("a threading.Event on which a thread waits")
    return restore_event, (event.is_set(),)


# --- asyncio ---------------------------------------------------------------------------------------------------------

_BOUND_BASES: tuple[type[Any], ...] = (
    asyncio.Queue, asyncio.Lock, asyncio.Event, asyncio.Condition, asyncio.BoundedSemaphore, asyncio.Semaphore,
)  # fmt: skip
LoopBound: type = asyncio.mixins._LoopBoundMixin
_OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__")
_WAITING = ("_waiters", "_getters", "_putters")


def restore_bound(cls: type[Any], base: type[Any]) -> Any:
    """A new primitive of ``cls``, initialised by the standard library's ``base`` only."""
    made = object.__new__(cls)
    base.__init__(made)
    return made


def fill_bound(primitive: Any, attributes: dict[str, Any]) -> None:
    """What the primitive held; attributes that only another Python version has stay as they are."""
    primitive.__dict__.update(attributes)


def reduce_bound(primitive: Any) -> Any:
    """Of asyncio's Lock, Event, Queue, ... and their subclasses, when no task waits for them."""
    cls = type(primitive)
    base = next((b for b in cls.__mro__ if b in _BOUND_BASES), None)
    if base is None or any(name in vars(b) for b in cls.__mro__[:-1] for name in _OWN_WAYS):
        return NotImplemented
    attributes = {name: value for name, value in vars(primitive).items() if name != "_loop"}
    for name in _WAITING:
        if any(not waiter.done() for waiter in attributes.get(name) or ()):
            raise PicklingError(f"a native task waits for this asyncio.{base.__name__}")
        if attributes.get(name):
            attributes[name] = type(attributes[name])()
    if isinstance(primitive, asyncio.Condition):
        for name in ("locked", "acquire", "release"):
            attributes.pop(name, None)
        lock = attributes["_lock"]
        return restore_condition, (cls, lock), attributes, None, None, fill_bound
    return restore_bound, (cls, base), attributes, None, None, fill_bound


def restore_condition(cls: type[Any], lock: asyncio.Lock) -> Any:
    """A condition over ``lock``, whose methods it borrows."""
    made = object.__new__(cls)
    asyncio.Condition.__init__(made, lock)
    return made


def running_loop() -> asyncio.AbstractEventLoop:
    """The loop that runs when the snapshot is loaded."""
    return asyncio.get_running_loop()


def reduce_loop(loop: asyncio.AbstractEventLoop) -> Reduced:
    """The running loop is restored as the loop that runs then; no other loop can be kept."""
    if loop.is_closed() or not loop.is_running():
        raise PicklingError("an event loop that does not run")
    return running_loop, ()


# --- contexts --------------------------------------------------------------------------------------------------------

_FOUND: dict[contextvars.ContextVar[Any], tuple[str, str]] = {}
_DECIMAL = "decimal_context"


def named_variable(module: str, name: str) -> Any:
    """The context variable at ``module.name``."""
    return getattr(importlib.import_module(module), name)


def _reduce_variable(variable: contextvars.ContextVar[Any]) -> Reduced:
    place = _place(variable)
    if place is None:
        raise PicklingError(f"the context variable {variable.name!r} is not at module level; define it there")
    return named_variable, place


def _place(variable: contextvars.ContextVar[Any]) -> tuple[str, str] | None:
    known = _FOUND.get(variable)
    if known is None or getattr(sys.modules.get(known[0]), known[1], None) is not variable:
        _FOUND.pop(variable, None)
        found = _search(variable)
        if found is None:
            return None
        _FOUND[variable] = known = found
    return known


def _search(variable: contextvars.ContextVar[Any]) -> tuple[str, str] | None:
    for module, contents in list(sys.modules.items()):
        names = getattr(contents, "__dict__", None)
        if not isinstance(names, dict):
            continue
        for name, value in list(names.items()):
            if value is variable:
                return module, name
    return None


def restore_token(variable: contextvars.ContextVar[Any], old: tuple[Any, ...], used: bool) -> Any:
    """A token of the current context which resets ``variable`` to ``old`` (empty: to having no value)."""
    if old:
        undo = variable.set(old[0])
        token = variable.set(None)
        if used:
            variable.reset(token)
        variable.reset(undo)
        return token
    if used or variable.get(_NOTHING) is _NOTHING:
        token = variable.set(None)  # only resetting the token itself could take this value away again
    else:
        raise RuntimeError(f"load snapshots in a context where {variable.name!r} has no value yet")
    if used:
        variable.reset(token)
    return token


_NOTHING: Any = object()


def _reduce_token(token: contextvars.Token[Any]) -> Reduced:
    old = token.old_value
    used = repr(token).startswith("<Token used")
    return restore_token, (token.var, () if old is contextvars.Token.MISSING else (old,), used)


def fill_context(context: contextvars.Context, state: tuple[list[tuple[Any, Any]], Any]) -> None:
    """Give the new context its values."""
    items, decimals = state
    for variable, value in items:
        context.run(variable.set, value)
    if decimals is not None:
        context.run(decimal.setcontext, decimals)


def _reduce_context(context: contextvars.Context) -> Reduced:
    items = [(variable, value) for variable, value in context.items() if variable.name != _DECIMAL]
    decimals = next((value for variable, value in context.items() if variable.name == _DECIMAL), None)
    return contextvars.Context, (), (items, decimals), None, None, fill_context


def restore_decimal_context(inside: decimal.Context, outside: decimal.Context) -> Any:
    """What ``decimal.localcontext`` returned while ``outside`` was the current context; nothing changes here."""

    def make() -> Any:
        decimal.setcontext(outside)
        return decimal.localcontext(inside)

    return contextvars.copy_context().run(make)


def _reduce_decimal_context(manager: Any) -> Reduced:
    """Ask the manager in contexts of their own, for it has no attributes."""

    def inside() -> decimal.Context:
        entered: decimal.Context = manager.__enter__()
        return entered

    def outside() -> decimal.Context:
        manager.__exit__(None, None, None)
        return decimal.getcontext()

    return restore_decimal_context, (contextvars.copy_context().run(inside), contextvars.copy_context().run(outside))


# --- modules and refusals --------------------------------------------------------------------------------------------


def _reduce_module(module: ModuleType) -> Reduced:
    if sys.modules.get(module.__name__) is module:
        return importlib.import_module, (module.__name__,)
    name = next((name for name, found in list(sys.modules.items()) if found is module), None)
    if name is None:
        raise PicklingError(f"the module {module.__name__!r} cannot be imported by that name")
    return importlib.import_module, (name,)


def _refuse_code_in_progress(value: Any) -> Reduced:
    kind = type(value).__name__
    code = next(getattr(value, name) for name in ("gi_code", "cr_code", "ag_code") if hasattr(value, name))
    raise PicklingError(
        f"a {kind} of code that is not durable: {code.co_qualname} ({code.co_filename}:{code.co_firstlineno}); "
        "mark its module with `# durable: on` or pass it to install(modules=[...])"
    )


def _refuse_frame(frame: types.FrameType) -> Reduced:
    raise PicklingError(f"a frame object (of {frame.f_code.co_qualname}); keep what you need of it instead")


def reduce_future(future: asyncio.Future[Any]) -> Reduced:
    """A future or task that is done: its outcome. One that is not cannot be saved."""
    if not future.done():
        raise PicklingError(
            f"a {type(future).__name__} that is not done cannot be saved yet; begin and await tasks within one expression, "
            "such as `await asyncio.gather(...)`, which is one leaf"
        )
    if future.cancelled():
        return restore_future, ("cancelled", None)
    error = future.exception()
    return restore_future, ("result", future.result()) if error is None else ("error", error)


def restore_future(kind: str, outcome: Any) -> asyncio.Future[Any]:
    """A done future; of a task only the outcome is left."""
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    if kind == "cancelled":
        future.cancel()
    elif kind == "error":
        future.set_exception(outcome)
        future.exception()  # it was asked for before: nobody is to be warned
    else:
        future.set_result(outcome)
    return future


PROCESS_BOUND = (threading.Thread, subprocess.Popen, concurrent.futures.Executor, concurrent.futures.Future)


def refuse_process_bound(value: Any) -> Reduced:
    """Threads, executors, child processes: without this some would be restored as lifeless shells."""
    raise PicklingError(f"a {type(value).__name__} belongs to this process and is gone after a restart")


def restore_closed_connection() -> Any:
    """An SQLite connection after its ``close()``."""
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.close()
    return connection


def reduce_connection(connection: Any) -> Reduced:
    """An SQLite connection: kept only if it is closed."""
    import sqlite3

    try:
        connection.total_changes  # noqa: B018  # the cheapest thing that a closed one refuses
    except sqlite3.ProgrammingError as error:
        if "closed" in str(error):
            return restore_closed_connection, ()
    raise PicklingError("an open SQLite connection; open it inside a with block, or close it before the await")


TABLE: dict[type, Callable[[Any], Any]] = {
    type(decimal.localcontext()): _reduce_decimal_context,
    _Lock: _reduce_lock,
    _RLock: _reduce_lock,
    threading.Condition: _reduce_condition,
    threading.Event: _reduce_event,
    contextvars.ContextVar: _reduce_variable,
    contextvars.Token: _reduce_token,
    contextvars.Context: _reduce_context,
    ModuleType: _reduce_module,
    types.GeneratorType: _refuse_code_in_progress,
    types.CoroutineType: _refuse_code_in_progress,
    types.AsyncGeneratorType: _refuse_code_in_progress,
    types.FrameType: _refuse_frame,
}
