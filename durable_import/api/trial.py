"""A trial of a Python that is not known: a program is suspended, saved and resumed, and has to come to its right result.

What fails, differs, or does not end is a reason to refuse that Python.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import Future
from functools import cache
from importlib.util import find_spec, module_from_spec
from types import ModuleType
from typing import Any, Protocol

from ..hook.code_table import PROGRAM
from ..hook.loader import rewriting_loader
from ..pythons.names import check_names
from ..pythons.support import refused
from ..pythons.versions import IS_KNOWN
from ..stores.memory import InMemoryStateStore
from .handle import InstanceHandle

PATIENCE = 30.0  # seconds until it is given up, with its runtimes; twice as long if it does not let its loop run
_OF_CLASSES = True, 2, "main.<locals>.Point(x=2, color=<Color.RED|BLUE: 3>)"
RESULT: Any = (
    [2, 8, "aa", b"xx"[0] * 2, 14, 2], [[4, 6], [10, 12], ["bb", "cc"], [242, 244], [16, 18], [6, 10]],
    [2, 3], "got", [1, 2, 3, 4], ["in", "KeyError(42)", 10, 20, "out", "base", ["u", "v"], [0, 1, 2], False, *_OF_CLASSES],
)  # fmt: skip
_NAME = f"{__name__}_program"
_KEY = bytes(32)


class TriedRuntime(Protocol):
    """What the trial needs of a runtime."""

    async def __aenter__(self) -> TriedRuntime: ...

    async def __aexit__(self, *error: Any) -> None: ...

    async def start(self, function: Any, *, instance_id: str) -> InstanceHandle[Any]: ...

    async def run(self, function: Any, *, instance_id: str) -> Any: ...

    async def publish_event(self, instance_id: str, name: str, payload: Any) -> None: ...


class RuntimeMaker(Protocol):
    """Makes the runtimes of the trial."""

    def __call__(self, store: InMemoryStateStore, *, key: bytes) -> TriedRuntime: ...

    def __hash__(self) -> int: ...


def check_python(make: RuntimeMaker) -> None:
    """Raise UnsupportedPythonError if instances cannot run on this Python. One that is not known is tried, once.

    ``make`` is the class of the runtimes that they are to run in.
    """
    check_names()
    if IS_KNOWN or threading.current_thread().name == _NAME:
        return
    try:
        found = _found(make)
    except Exception as error:
        raise refused(f"a trial failed ({type(error).__name__}: {error})") from error
    if found != RESULT:
        raise refused(f"a program that was suspended and resumed gave {found!r}, not {RESULT!r}")


@cache
def _found(make: RuntimeMaker) -> Any:
    """What the program gives, in a thread of its own: an event loop may be running in this one."""
    outcome: Future[Any] = Future()
    threading.Thread(target=_try, args=(make, outcome), name=_NAME, daemon=True).start()
    return outcome.result(2 * PATIENCE)


def _try(make: RuntimeMaker, outcome: Future[Any]) -> None:
    try:
        outcome.set_result(asyncio.run(asyncio.wait_for(_suspended_and_resumed(make), PATIENCE)))
    except BaseException as error:
        outcome.set_exception(error)


async def _suspended_and_resumed(make: RuntimeMaker) -> Any:
    program, store = _program(), InMemoryStateStore()
    try:
        async with make(store, key=_KEY) as runtime:
            handle = await runtime.start(program.main, instance_id=_NAME)
            ended = asyncio.create_task(handle.result())
            while await handle.status() != "waiting" and not ended.done():
                await asyncio.sleep(0.001)
            if ended.done():
                return ended.result()
            ended.cancel()
        async with make(store, key=_KEY) as runtime:
            await runtime.publish_event(_NAME, "answer", 42)
            return await runtime.run(program.main, instance_id=_NAME)
    finally:
        for modules in (sys.modules, PROGRAM):  # which may have been left without it by what failed
            modules.pop(_NAME, None)


def _program() -> ModuleType:
    """The program, rewritten, whether the import hook is there or not."""
    spec = find_spec(_NAME)
    assert spec is not None
    loader: Any = rewriting_loader(spec)
    spec.loader = loader
    module = sys.modules[_NAME] = module_from_spec(spec)
    loader.exec_module(module)
    return module
