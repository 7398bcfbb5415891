"""One thread that does all blocking work of one store, in order; event loops only wait for its answers.

What arrives while the thread is busy is handed to the engine as one batch, so that it can share one fsync. While it is idle,
a caller that is in a hurry may use the engine by itself (``Worker.at_once``): to wake a thread costs more than a small commit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeVar, cast

from durable_import.pythons import forks

R = TypeVar("R")
T = TypeVar("T")

_BATCH_LIMIT = 256
_STOP = object()


class Work(Generic[R]):
    """One piece of work on the engine's resource ``R``; the engine must call ``succeed`` or ``fail``.

    ``patience``: seconds to wait for a lock; None: as long as the engine does.
    """

    __slots__ = ("error", "outcome", "patience", "work", "writes")

    def __init__(self, work: Callable[[R], Any], writes: bool, patience: float | None = None) -> None:
        self.work = work
        self.writes = writes
        self.patience = patience
        self.outcome: Any = None
        self.error: BaseException | None = None

    def succeed(self, outcome: Any) -> None:
        self.outcome, self.error = outcome, None

    def fail(self, error: BaseException) -> None:
        self.error = error

    def result(self) -> Any:
        """What came of it."""
        if self.error is not None:
            raise self.error
        return self.outcome


class Job(Work[R]):
    """One that an event loop waits for."""

    __slots__ = ("future", "loop")

    def __init__(self, work: Callable[[R], Any], writes: bool, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(work, writes)
        self.loop = loop
        self.future: asyncio.Future[Any] = loop.create_future()

    def answer(self) -> None:
        """Runs in the loop."""
        if self.future.done():
            return  # the awaiting task was cancelled
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.outcome)


class Errand(Work[R]):
    """One that a thread waits for."""

    __slots__ = ("done",)

    def __init__(self, work: Callable[[R], Any], writes: bool) -> None:
        super().__init__(work, writes)
        self.done = threading.Event()


class Engine(Protocol[R]):
    """What runs in the thread. It opens its resource when it first needs it, and again after ``close``."""

    def run(self, jobs: Sequence[Job[R]]) -> None: ...

    def close(self) -> None: ...


class Desk(Generic[R]):
    """What a worker and its thread share: the engine, and what is to be done."""

    def __init__(self, engine: Engine[R]) -> None:
        self.engine = engine
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()  # of the number; held while the engine is used at once
        self._open = 0  # items that were put and not done

    def put(self, item: Any) -> None:
        """Hand in a job, or the order to stop, which is never done."""
        with self._lock:
            self._open += 1
            self.inbox.put(item)

    def rest(self, deadline: float, let_go: Callable[[Any], object]) -> bool:
        """Do nothing more, once all is done, until ``go_on``; gives whether that was so in time. ``let_go``: of the engine."""
        while self._lock.acquire(timeout=max(deadline - time.monotonic(), 0.0)):
            if not self._open:
                let_go(self.engine)
                return True
            self._lock.release()
            time.sleep(0.001)
        return False

    def go_on(self) -> None:
        """See ``rest``."""
        self._lock.release()

    def are_done(self, number: int) -> None:
        """So many items are."""
        with self._lock:
            self._open -= number

    def at_once(self, work: Callable[[Any], bool]) -> bool:
        """See ``Worker``."""
        if not self._lock.acquire(blocking=False):
            return False
        try:
            return not self._open and work(self.engine)
        finally:
            self._lock.release()


class Worker(Generic[R]):
    """Starts the thread at the first call; it ends on ``close`` or when the worker is garbage.

    ``let_go``: what the engine must let go of before a fork; it opens it again.
    """

    fork_rank = 2

    def __init__(self, engine: Callable[[], Engine[R]], name: str, let_go: Callable[[Any], object] = lambda _: None) -> None:
        self._make_engine = engine
        self._name = name
        self._let_go = let_go
        self._prepare()
        forks.joins(self)

    def _prepare(self) -> None:
        self._lock = threading.Lock()
        self._rest = forks.Rest(self._lock)
        self._desk: Desk[R] | None = None
        self._is_resting = False

    def rest(self, seconds: float) -> None:
        """See ``forks.Forking``."""
        deadline = time.monotonic() + seconds
        if self._rest.begin(seconds) and self._desk is not None:
            self._is_resting = self._desk.rest(deadline, self._let_go)

    def go_on(self) -> None:
        """See ``forks.Forking``."""
        if self._is_resting and self._desk is not None:
            self._desk.go_on()
        self._is_resting = False
        self._rest.end()

    def start_over(self) -> None:
        """See ``forks.Forking``."""
        forks.keep(self._desk)
        self._prepare()

    async def call(self, work: Callable[[R], T], *, writes: bool = True) -> T:
        """What ``work`` returns or raises in the thread; it is done even if the caller is cancelled meanwhile."""
        job: Job[R] = Job(work, writes, asyncio.get_running_loop())
        self._put(job)
        result: T = await job.future
        return result

    def wait(self, work: Callable[[R], T], *, writes: bool = True) -> T:
        """The same for a thread that waits."""
        errand: Errand[R] = Errand(work, writes)
        self._put(errand)
        errand.done.wait()
        result: T = errand.result()
        return result

    def _put(self, work: Work[R]) -> None:
        with self._lock:
            if self._desk is None:
                self._desk = self._start()
            self._desk.put(work)

    def at_once(self, work: Callable[[Any], bool]) -> bool:
        """What ``work`` makes of the engine in this thread, if the worker's own has begun and has nothing to do; else False."""
        desk = self._desk
        return desk is not None and desk.at_once(work)

    async def close(self) -> None:
        """Finish what was handed in, then end the thread."""
        with self._lock:
            desk, self._desk = self._desk, None
        if desk is None:
            return
        job: Job[R] = Job(lambda _: None, False, asyncio.get_running_loop())
        desk.put((_STOP, job))
        await job.future

    def _start(self) -> Desk[R]:
        desk = Desk(self._make_engine())
        threading.Thread(target=_serve, args=(desk,), name=self._name, daemon=True).start()
        weakref.finalize(self, desk.inbox.put, (_STOP, None)).atexit = False
        return desk


def _serve(desk: Desk[Any]) -> None:
    while True:
        jobs, stop = _take(desk.inbox)
        if jobs:
            try:
                desk.engine.run(cast("list[Job[Any]]", jobs))  # none of them looks at who waits
            except BaseException as error:  # never leave a caller waiting
                for job in jobs:
                    job.fail(error)
            desk.are_done(len(jobs))
            _answer(jobs)
        if stop is not None:
            _stop(desk.engine, stop[1])
            return
        del jobs  # an idle thread keeps no states alive


def _take(inbox: queue.SimpleQueue[Any]) -> tuple[list[Work[Any]], tuple[object, Job[Any] | None] | None]:
    """Wait for the first item, then take what else is there, up to the order to stop."""
    jobs: list[Work[Any]] = []
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


def _answer(jobs: Sequence[Work[Any]]) -> None:
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Job[Any]]] = defaultdict(list)
    for job in jobs:
        if isinstance(job, Job):
            by_loop[job.loop].append(job)
        elif isinstance(job, Errand):
            job.done.set()
    for loop, theirs in by_loop.items():
        try:
            loop.call_soon_threadsafe(_answer_in_loop, theirs)
        except RuntimeError:
            if not loop.is_closed():  # nobody waits in a closed loop
                raise


def _answer_in_loop(jobs: list[Job[Any]]) -> None:
    for job in jobs:
        job.answer()
