"""Event loops made by hand, as the tests of asyncio make them, whose tasks are those of a durable instance.

In a program it is the runtime that makes the loop of an instance, and it is there while the instance runs. A test makes its
loop first, then futures and tasks, and runs it now and then until something has happened.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from asyncio import base_events
from collections.abc import Callable, Iterator
from typing import Any

from durable_import.aio.loop import InstanceLoop
from durable_import.aio.task import DurableTask
from durable_import.frames import ambient
from durable_import.running.instance.commit import PAUSE
from durable_import.snapshot.tasks.tasks import ended_coroutine
from tests.harness.soft_torture import SoftTortureDriver, UnsavedDriver

_base: Any = base_events.BaseEventLoop


class HandmadeLoop(InstanceLoop):
    """The loop of an instance without a root, over a loop of the process of its own."""

    is_tortured = False

    def __init__(self) -> None:
        super().__init__("made by hand")
        self.real: Any = asyncio.SelectorEventLoop()
        self.root: Any = Nobody()
        self.is_stopping = False
        self.driver = TorturingRounds(self) if self.is_tortured else Rounds(self)
        self._task_factory: Any = None

    def is_asked_by_program(self) -> bool:
        return True  # there is nobody else

    def refuses_native_tasks(self) -> bool:
        return False  # tests make some beside those of the loop

    def create_task(self, coro: Any, **options: Any) -> Any:
        self._check_closed()
        return _base.create_task(self, coro, **options) if self._task_factory is not None else self.make_task(coro, **options)

    def make_task(self, coro: Any, *, context: Any = None, eager_start: bool = False, **options: Any) -> DurableTask:
        """A task of this loop, whatever makes tasks at present."""
        if context is None:
            context = contextvars.copy_context()
        return self._new_task(coro, context=context, eager_start=eager_start and self.is_running(), **options)

    set_task_factory = _base.set_task_factory  # that of a test calls ``make_task`` in the end
    get_task_factory = _base.get_task_factory

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        context = contextvars.copy_context()
        context.run(ambient.current_driver.set, self)
        return context.run(super().run_in_executor, executor, func, *args)

    # --- running: what ``BaseEventLoop`` does, with rounds of the driver

    run_until_complete = _base.run_until_complete
    _check_running = _base._check_running

    def _check_closed(self) -> None:
        self.real._check_closed()

    def run_forever(self) -> None:
        self._check_closed()
        self._check_running()
        self.real.run_until_complete(self._run())

    async def _run(self) -> None:
        self.thread = threading.get_ident()
        try:
            await self.driver
        finally:
            self.is_stopping = False

    def _run_once(self) -> None:
        self.stop()
        self.run_forever()

    def stop(self) -> None:
        self.is_stopping = True
        self._poke()

    def close(self) -> None:
        if self.is_running():
            raise RuntimeError("Cannot close a running event loop")
        self.ready.clear()
        self.timers.clear()
        self.real.close()

    def is_running(self) -> bool:
        return bool(self.real.is_running())

    def is_closed(self) -> bool:
        return bool(self.real.is_closed())

    @property
    def call_exception_handler(self) -> Any:
        own: Any = super() if self._exception_handler is not None else self.real
        return self.__dict__.get("exception_handler_of_test") or own.call_exception_handler

    @call_exception_handler.setter
    def call_exception_handler(self, handler: Any) -> None:
        self.__dict__["exception_handler_of_test"] = handler

    def round_has_ended(self) -> None:
        """All callbacks that were ready have run."""

    @property
    def _ready(self) -> Any:
        return self.ready

    @property
    def _scheduled(self) -> Any:
        return self.timers


class Nobody:
    """Stands for the first task: whatever is made while no task runs is made by it."""

    children = 0
    asked = None
    path = "0"
    has_failed = False

    def done(self) -> bool:
        """It never ends."""
        return False

    @property
    def coroutine(self) -> Any:
        """What the driver takes for its coroutine."""
        return ended_coroutine()


class TimedLoop(HandmadeLoop):
    """Does what ``test.test_asyncio.utils.TestLoop`` does: time goes on as the generator of the test says."""

    def __init__(self, times: Callable[[], Iterator[Any]] | None = None) -> None:
        super().__init__()
        self._is_time_given = times is not None
        self._times: Any = (times or _one_moment)()
        next(self._times)
        self._now = 0.0
        self._scheduled_for: list[float] = []

    def time(self) -> float:
        return self._now

    def advance_time(self, advance: float | None) -> None:
        """Move the time forward."""
        if advance:
            self._now += advance

    def _schedule(self, when: float, *details: Any) -> asyncio.TimerHandle:
        self._scheduled_for.append(when)
        return super()._schedule(when, *details)

    def round_has_ended(self) -> None:
        for when in self._scheduled_for:
            self.advance_time(self._times.send(when))
        self._scheduled_for = []

    def close(self) -> None:
        super().close()
        if self._is_time_given:
            try:
                self._times.send(0)
            except StopIteration:
                return
            raise AssertionError("Time generator is not finished")


def _one_moment() -> Iterator[Any]:
    yield


class Rounds(UnsavedDriver):
    """Drives a loop made by hand: rounds until the loop is stopped."""

    def __await__(self) -> Any:
        loop: Any = self.loop
        while True:
            loop.take_due_timers()
            yield from self._round()
            loop.round_has_ended()
            if loop.is_stopping:
                return
            if loop.ready or isinstance(loop, TimedLoop):
                yield from PAUSE.__await__()
            else:
                yield from self._idle()


class TorturingRounds(Rounds, SoftTortureDriver):
    """... and every checkpoint rebuilds the tasks."""


class TaskMaker:
    """What the tests take for the class of tasks."""

    def __call__(self, coro: Any, *, loop: Any = None, **options: Any) -> Any:
        chosen: Any = loop or asyncio.get_event_loop()
        return chosen.make_task(coro, **options)

    def __instancecheck__(self, value: Any) -> bool:
        return type(value) is DurableTask

    def __getitem__(self, item: Any) -> Any:
        return DurableTask[item]  # type: ignore[misc]

    def __getattr__(self, name: str) -> Any:
        return getattr(DurableTask, name)
