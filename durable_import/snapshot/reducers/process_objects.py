"""Reducers for what belongs to a process: threads' locks, tokens of context variables, modules; and clear refusals of the rest.

- A free lock is restored as a new one; one that is held cannot be: its holder would not be restored with it.
- Modules are kept by name. A ``contextvars.Token`` is made again in its context, before the values
  of that context's variables are put back.
"""

from __future__ import annotations

import asyncio
import asyncio.subprocess
import concurrent.futures
import contextvars
import copyreg
import gc
import importlib
import subprocess
import sys
import threading
import types
from collections.abc import Callable
from pickle import PicklingError
from types import ModuleType
from typing import TYPE_CHECKING, Any

from durable_import.holds.refused import Refused

if TYPE_CHECKING:
    import decimal

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


def put_variables(made: Any, variables: dict[str, Any]) -> None:
    """Whatever ``__setstate__`` of its class would do."""
    vars(made).update(variables)


def reduce_with_thread_local(made: Any) -> Reduced:
    """Of a class whose own ``__getstate__`` leaves out a threading.local, since pickle cannot save it, and needs it later."""
    return copyreg.__newobj__, (type(made),), vars(made), None, None, put_variables  # type: ignore[attr-defined]


def _reduce_thread_local(values: threading.local) -> Reduced:
    """With what it holds in this thread, where the program runs."""
    return threading.local, (), vars(values)


# --- contexts --------------------------------------------------------------------------------------------------------


def restore_token(context: contextvars.Context, variable: contextvars.ContextVar[Any], old: tuple[Any, ...], used: bool) -> Any:
    """A token of ``context`` which resets ``variable`` to ``old`` (empty: to having no value)."""
    return context.run(_make_token, variable, old, used)


def _make_token(variable: contextvars.ContextVar[Any], old: tuple[Any, ...], used: bool) -> Any:
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
    context = next(r for r in gc.get_referents(token) if isinstance(r, contextvars.Context))
    return restore_token, (context, token.var, () if old is contextvars.Token.MISSING else (old,), used)


def restore_decimal_context(inside: decimal.Context, outside: decimal.Context) -> Any:
    """What ``decimal.localcontext`` returned while ``outside`` was the current context; nothing changes here."""
    import decimal  # which the program uses: others need not load it

    def make() -> Any:
        decimal.setcontext(outside)
        return decimal.localcontext(inside)

    return contextvars.copy_context().run(make)


def reduce_decimal_context(manager: Any) -> Reduced:
    """Ask the manager in contexts of their own, for it has no attributes."""
    import decimal

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
        way_out = "if it was loaded from a file, put it into `sys.modules`"
        raise PicklingError(f"the module {module.__name__!r} cannot be imported by that name: {way_out}")
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


PROCESS_BOUND = (
    threading.Thread, subprocess.Popen, concurrent.futures.Executor, asyncio.subprocess.Process, asyncio.BaseTransport,
)  # fmt: skip


def refuse_mock(mock: Any) -> Reduced:  # noqa: ARG001  the signature of reducers
    """Looking at a mock makes more of them: each attribute is one."""
    raise Refused(
        "a mock, whose class is its own and whose attributes are more of them",
        "Put a plain function or class in its place, keep it at module level, or give it a return_value that can be saved.",
    )


def refuse_process_bound(value: Any) -> Reduced:
    """Threads, executors, child processes: without this some would be restored as lifeless shells."""
    raise PicklingError(f"a {type(value).__name__} belongs to this process and is gone after a restart")


def reduce_thread_future(future: concurrent.futures.Future[Any]) -> Reduced:
    """One that has ended is its outcome; what another one waits for belongs to this process."""
    if not future.done():
        return refuse_process_bound(future)
    state = vars(future) | {"_done_callbacks": [], "_waiters": []}  # those were told
    return copyreg.__newobj__, (type(future),), state  # type: ignore[attr-defined]


TABLE: dict[type, Callable[[Any], Any]] = {
    _Lock: _reduce_lock,
    _RLock: _reduce_lock,
    threading.Condition: _reduce_condition,
    threading.Event: _reduce_event,
    threading.local: _reduce_thread_local,
    contextvars.Token: _reduce_token,
    ModuleType: _reduce_module,
    types.GeneratorType: _refuse_code_in_progress,
    types.CoroutineType: _refuse_code_in_progress,
    types.AsyncGeneratorType: _refuse_code_in_progress,
    types.FrameType: _refuse_frame,
}
