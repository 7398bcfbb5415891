"""asyncio's own waiting functions, made durable where they stand: ``sleep``, ``wait``, ``Queue.get``, ``Lock.acquire``, ...

Their modules are run through the rewriter as they are in this Python version; the functions keep their identity and get the
rewritten code. What they mean stays the same everywhere. Done once, when the first instance begins.
"""

from __future__ import annotations

import ast
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
from .taking import has_taken, is_given_back

NAMES = (
    "asyncio.locks", "asyncio.queues", "asyncio.taskgroups", "asyncio.tasks", "asyncio.timeouts", "contextlib",
    "durable_import.pythons.earlier", "durable_import.aio.wait_again", "durable_import.aio.events",
    "durable_import.aio.questions",
    "durable_import.aio.worker_threads",
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
    if module is asyncio.locks:
        source = _telling(source)
        vars(module).update({_HAS_TAKEN: has_taken, _IS_GIVEN_BACK: is_given_back})
    rewritten = rewritten_module(module.__name__, source, path, is_library=True)
    codes = {(code.co_qualname, code.co_firstlineno): code for code in nested_codes(rewritten.code)}
    replace_code(
        functions_of_namespace(vars(module), path),
        lambda old: codes[old.co_qualname, old.co_firstlineno] if _suspends(old) or old.co_qualname in _RELEASES else None,
    )
    register_module(module.__name__, path, source, rewritten, is_library=True)


def _telling(source: bytes) -> bytes:
    """The source of ``asyncio.locks`` with ``acquire`` and ``release`` that tell of it: see ``taking``. Its lines stay."""
    lines = source.splitlines(keepends=True)
    edits: list[tuple[int, int | None, int | None, str]] = []
    for cls in ast.parse(source).body:
        for method in cls.body if isinstance(cls, ast.ClassDef) and cls.name in ("Lock", "Semaphore") else ():
            for node in ast.walk(method):
                if getattr(method, "name", "") == "acquire" and isinstance(node, ast.Return) and node.value is not None:
                    edits.append((node.value.lineno, node.value.col_offset, node.value.end_col_offset, f"{_HAS_TAKEN}(self)"))
                elif getattr(method, "name", "") == "release" and isinstance(node, (ast.Assign, ast.AugAssign)):
                    edits.append((node.lineno, node.end_col_offset, node.end_col_offset, f"; {_IS_GIVEN_BACK}(self)"))
    for number, begin, end, text in edits:
        line = lines[number - 1]
        lines[number - 1] = line[:begin] + text.encode() + line[end:]
    return b"".join(lines)


_HAS_TAKEN, _IS_GIVEN_BACK = "durable_has_taken", "durable_is_given_back"
_RELEASES = ("Lock.release", "Semaphore.release")


def _suspends(code: CodeType) -> bool:
    """Whether frames of a function, or of one nested in it, can be held.

    A generator expression is used up at once; a generator that ``types.coroutine`` made awaitable is a step if it only yields.
    """
    if code.co_flags & ITERABLE_COROUTINE and all(i.opname != "SEND" for i in dis.get_instructions(code)):
        return False
    nested = (c for c in nested_codes(code) if c.co_name != "<genexpr>")
    return bool(code.co_flags & _SUSPENDS) or any(c.co_flags & _SUSPENDS for c in nested)


def _get_loop(self: Any) -> asyncio.AbstractEventLoop | None:
    """``_LoopBoundMixin._get_loop``, for which all loops over the same loop of the process are one.

    It is called by who is about to wait.
    """
    loop = get_running_loop()
    process = loop.real if type(loop) is InstanceLoop else loop
    if self._loop is None:
        self._loop = process
    if process is not self._loop:
        raise RuntimeError(f"{self!r} is bound to a different event loop")
    if type(loop) is InstanceLoop:
        loop.waits_at(self)
    return loop  # type: ignore[no-any-return]
