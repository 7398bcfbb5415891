"""One thread that does all blocking work of one store, in order; event loops only wait for its answers.

What arrives while the thread is busy is handed to the engine as one batch, so that it can share one fsync.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar

R = TypeVar("R")
T = TypeVar("T")

_BATCH_LIMIT = 256
_STOP = object()


class Job(Generic[R]):
    """One piece of work on the engine's resource ``R``; the engine must call ``succeed`` or ``fail``."""

    __slots__ = ("error", "future", "loop", "outcome", "work", "writes")

    def __init__(self, work: Callable[[R], Any], writes: bool, loop: asyncio.AbstractEventLoop) -> None:
        self.work = work
        self.writes = writes
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()
        self.outcome: Any = None
        self.error: BaseException | None = None

    def succeed(self, outcome: Any) -> None:
        self.outcome, self.error = outcome, None

    def fail(self, error: BaseException) -> None:
        self.error = error

    def answer(self) -> None:
        """Runs in the loop."""
        if self.future.done():
            return  # the awaiting task was cancelled
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome)


class Engine(Protocol[R]):
    """What runs in the thread. It opens its resource when it first needs it, and again after ``close``."""

    def run(self, jobs: Sequence[Job[R]]) -> None: ...

    def close(self) -> None: ...


class Worker(Generic[R]):
    """Starts the thread at the first call; it ends on ``close`` or when the worker is garbage."""

    def __init__(self, engine: Callable[[], Engine[R]], name: str) -> None:
        self._make_engine = engine
        self._name = name
        self._lock = threading.Lock()
        self._inbox: queue.SimpleQueue[Any] | None = None
        self._pid = 0

    async def call(self, work: Callable[[R], T], *, writes: bool = True) -> T:
        """What ``work`` returns or raises in the thread; it is done even if the caller is cancelled meanwhile."""
        job: Job[R] = Job(work, writes, asyncio.get_running_loop())
        with self._lock:
            if self._inbox is None or self._pid != os.getpid():  # threads do not survive a fork
                self._inbox = self._start()
            self._inbox.put(job)
        result: T = await job.future
        return result

    async def close(self) -> None:
        """Finish what was handed in, then end the thread."""
        with self._lock:
            inbox, self._inbox = self._inbox, None
        if inbox is None or self._pid != os.getpid():
            return
        job: Job[R] = Job(lambda _: None, False, asyncio.get_running_loop())
        inbox.put((_STOP, job))
        await job.future

    def _start(self) -> queue.SimpleQueue[Any]:
        inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._pid = os.getpid()
        threading.Thread(target=_serve, args=(inbox, self._make_engine()), name=self._name, daemon=True).start()
        weakref.finalize(self, inbox.put, (_STOP, None)).atexit = False
        return inbox


def _serve(inbox: queue.SimpleQueue[Any], engine: Engine[Any]) -> None:
    while True:
        jobs, stop = _take(inbox)
        if jobs:
            try:
                engine.run(jobs)
            except BaseException as error:  # never leave a caller waiting
                for job in jobs:
                    job.fail(error)
            _answer(jobs)
        if stop is not None:
            _stop(engine, stop[1])
            return
        del jobs  # an idle thread keeps no states alive


def _take(inbox: queue.SimpleQueue[Any]) -> tuple[list[Job[Any]], tuple[object, Job[Any] | None] | None]:
    """Wait for the first item, then take what else is there, up to the order to stop."""
    jobs: list[Job[Any]] = []
    item = inbox.get()
    while True:
        if isinstance(item, tuple):
            return jobs, item
        jobs.append(item)
        if len(jobs) == _BATCH_LIMIT:
            return jobs, None
        try:
            item = inbox.get_nowait()
        except queue.Empty:
            return jobs, None


def _stop(engine: Engine[Any], job: Job[Any] | None) -> None:
    try:
        engine.close()
    except Exception as error:
        if job is None:
            raise  # nobody waits: threading reports it
        job.fail(error)
    if job is not None:
        _answer([job])


def _answer(jobs: list[Job[Any]]) -> None:
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Job[Any]]] = defaultdict(list)
    for job in jobs:
        by_loop[job.loop].append(job)
    for loop, theirs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_answer_in_loop, theirs)
        except RuntimeError:
            if not loop.is_closed():  # nobody waits in a closed loop
                raise


def _answer_in_loop(jobs: list[Job[Any]]) -> None:
    for job in jobs:
        job.answer()
