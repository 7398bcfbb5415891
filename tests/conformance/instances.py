"""Test modules of asyncio run as durable instances that are not saved.

Of most files each asynchronous test is an instance, over the loop that unittest makes. Files that make loops by hand get
loops of instances, and what they try with each implementation of tasks and futures is tried with ours.
"""

from __future__ import annotations

import asyncio
import importlib
import sys
from types import CellType, FrameType, ModuleType
from typing import Any
from unittest import TestCase

from durable_import.aio.standard import make_asyncio_durable
from durable_import.frames import ambient
from durable_import.running.instance.root import call_of, without_instance
from tests.harness.soft_torture import SoftTortureDriver, UnsavedDriver

from .handmade import HandmadeLoop, TaskMaker, TimedLoop

HANDMADE = ("test_tasks", "test_futures", "test_eager_task_factory")
OF_OTHER_TASKS = ("PyCurrentLoopTests", "TestCallStackPy")
left_out: list[str] = []  # classes of tests


class UnsavedRuntime:
    """A runtime, as ``ambient.AmbientRuntime``, whose instances are driven but not saved."""

    def __init__(self, driver: type[UnsavedDriver]) -> None:
        self.driver = driver

    can_begin = staticmethod(bool)  # of a frame, always: these tests have event loops

    async def begin(self, frame: FrameType, cells: dict[str, CellType]) -> Any:
        """See ``ambient.AmbientRuntime``."""
        function, arguments, keywords = call_of(frame, cells)
        return await self.driver(without_instance(lambda: function(*arguments, **keywords)))


def make_durable(name: str, is_tortured: bool) -> None:
    """Before the module ``name`` is imported: from now on tests run as instances."""
    make_asyncio_durable()
    runtime = UnsavedRuntime(SoftTortureDriver if is_tortured else UnsavedDriver)
    ambient.ON.append(runtime)
    if name.rpartition(".")[2] not in HANDMADE:
        ambient.default_runtime.append(runtime)
        return
    utils: Any = importlib.import_module("test.test_asyncio.utils")

    HandmadeLoop.is_tortured = is_tortured
    events: Any = asyncio.events
    policy: Any = events._get_event_loop_policy() if sys.version_info >= (3, 14) else asyncio.get_event_loop_policy()
    type(policy)._loop_factory = HandmadeLoop
    vars(asyncio)["EventLoop"] = HandmadeLoop  # what tests give as ``loop_factory``, since Python 3.13
    utils.TestCase.new_test_loop = _new_test_loop


def _new_test_loop(self: Any, gen: Any = None) -> TimedLoop:
    loop = TimedLoop(gen)
    self.set_event_loop(loop)
    return loop


def try_our_tasks(module: ModuleType) -> None:
    """After the import: what is tried with tasks written in C is tried with ours, and what with others is left out."""
    native: Any = asyncio.tasks
    for name, value in list(vars(module).items()):
        if not (isinstance(value, type) and issubclass(value, TestCase)):
            continue
        kind = vars(value).get("Task")
        if kind is native._CTask:
            value.Task = TaskMaker()  # type: ignore[attr-defined]
        elif isinstance(kind, type) or name in OF_OTHER_TASKS:
            left_out.append(f"{module.__name__}.{name}")
            delattr(module, name)
    if module.__name__.rpartition(".")[2] in HANDMADE:
        native._CTask = TaskMaker()
