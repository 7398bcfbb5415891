"""asyncio's own waiting functions, made durable where they stand: ``sleep``, ``wait``, ``Queue.get``, ``Lock.acquire``, ...

Their modules are run through the rewriter as they are in this Python version; the functions keep their identity and get the
rewritten code. What they mean stays the same everywhere. Done once, when the first instance begins.
"""

from __future__ import annotations

import asyncio
import dis
import importlib
import inspect
import time
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from ..hook.code_table import ITERABLE_COROUTINE, register_module
from ..hook.in_place import complete, functions_of_namespace, replace_code, rewritten_module
from ..pythons.codes import nested_codes
from ..pythons.tasks import LoopBound, get_running_loop
from ..pythons.waiting import attributes_today
from .loop import InstanceLoop

NAMES = (
    "asyncio.locks", "asyncio.queues", "asyncio.taskgroups", "asyncio.tasks", "asyncio.timeouts", "contextlib",
    "durable_import.pythons.earlier", "durable_import.aio.wait_again", "durable_import.aio.events",
)  # fmt: skip

_SUSPENDS = inspect.CO_COROUTINE | inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR
_done: list[str] = []


def make_asyncio_durable() -> None:
    """Give asyncio's functions that wait their rewritten code, and those that a script has defined meanwhile. Idempotent."""
    complete()
    if _done:
        return
    for name in NAMES:
        module = importlib.import_module(name)
        _rewrite(module)
        _done.append(name)
    _add_attributes()
    LoopBound._get_loop = _get_loop


def _add_attributes() -> None:
    """Let objects that were saved by an earlier Python have what they have today."""
    for cls, attribute, default in attributes_today():
        setattr(cls, attribute, default)


def use_wall_clock() -> None:
    """Let the event loops of this process tell the same time as those of instances, which survives it: seconds since 1970.

    Where the process is not ours, code that is not rewritten gets another time from a loop of the process than from that of
    an instance.
    """
    offset = time.time() - time.monotonic()

    def wall_clock(self: asyncio.BaseEventLoop) -> float:  # noqa: ARG001
        return time.monotonic() + offset

    asyncio.BaseEventLoop.time = wall_clock  # type: ignore[method-assign]


def _rewrite(module: ModuleType) -> None:
    """The functions are found by their first lines, without compiling the source once more: it is that of this Python."""
    path = str(module.__file__)
    source = Path(path).read_bytes()
    rewritten = rewritten_module(module.__name__, source, path, is_library=True)
    codes = {(code.co_qualname, code.co_firstlineno): code for code in nested_codes(rewritten.code)}
    replace_code(
        functions_of_namespace(vars(module), path),
        lambda old: codes[old.co_qualname, old.co_firstlineno] if _suspends(old) else None,
    )
    register_module(module.__name__, path, source, rewritten, is_library=True)


def _suspends(code: CodeType) -> bool:
    """Whether frames of a function, or of one nested in it, can be held.

    A generator expression is used up at once; a generator that ``types.coroutine`` made awaitable is a step if it only yields.
    """
    if code.co_flags & ITERABLE_COROUTINE and all(i.opname != "SEND" for i in dis.get_instructions(code)):
        return False
    nested = (c for c in nested_codes(code) if c.co_name != "<genexpr>")
    return bool(code.co_flags & _SUSPENDS) or any(c.co_flags & _SUSPENDS for c in nested)


def _get_loop(self: Any) -> asyncio.AbstractEventLoop | None:
    """``_LoopBoundMixin._get_loop``, for which all loops over the same loop of the process are one."""
    loop = get_running_loop()
    process = loop.real if type(loop) is InstanceLoop else loop
    if self._loop is None:
        self._loop = process
    if process is not self._loop:
        raise RuntimeError(f"{self!r} is bound to a different event loop")
    return loop  # type: ignore[no-any-return]
