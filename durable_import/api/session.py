"""One execution of a program by a process of its own, whose instances are named after it: executed, suspended, forgotten."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from types import FrameType
from typing import Any, TypeAlias, TypeVar

from ..aio.standard import use_wall_clock
from ..errors import DurableError, InstanceSuspendedError, PauseForEventException, StoreError
from ..pythons.systems import signal_again
from ..running.instance.failed import Failed
from ..running.instance.host import InstanceObserver
from ..running.unneeded import remove_unneeded
from ..stores.state import InstanceQuery, InstanceState, InstanceSummary
from ..stores.worker import Worker
from ..upgrades.policies import OnChange
from .program import Program, make_main
from .runtime import DurableRuntime

R = TypeVar("R")
Summary: TypeAlias = InstanceSummary
Failure: TypeAlias = Failed
Standing: TypeAlias = InstanceState | InstanceSummary  # how far an instance has come

SIGNALS = (signal.SIGINT, signal.SIGTERM)
_HANDING_OVER = (Worker.call.__code__, Worker.at_once.__code__)


class Session:
    """One execution of a program: its instances are named ``base``, ``base#2``, ... in the order in which they begin.

    ``store`` is a URL. ``observer`` is told which of them begin. ``on_wait`` is called with the moment (in seconds since 1970,
    infinite for an event) that all tasks of an instance wait for. ``on_refused`` is told the error by which an instance cannot go
    on, once it has been let go of. ``from_failure``: go on also where steps of the program ran after the failure.
    ``hold_limit``, ``on_change``: see ``DurableRuntime``. Raises StoreError and MissingKeyError.
    """

    def __init__(
        self,
        store: str,
        base: str,
        observer: InstanceObserver,
        on_wait: Callable[[float], None] | None = None,
        on_refused: Callable[[DurableError], None] | None = None,
        hold_limit: float | None = None,
        on_change: OnChange = "move",
        *,
        from_failure: bool = False,
        telemetry: bool = False,
    ) -> None:
        self.base = base
        self._on_refused = on_refused
        self._suspended: set[str] = set()  # of those that run, once all are being suspended
        self._when_suspended: Callable[[], object] | None = None
        self._begun: list[str] = []
        self._runtime = DurableRuntime(
            store,
            script="__main__",
            on_change=on_change,
            name_instance=self._next_name,
            observer=observer,
            patience=0.0,
            hold_limit=hold_limit,
            telemetry=telemetry,
        )
        self._runtime.from_failure = from_failure
        self._runtime.dispatcher.takes_work = False
        self._runtime.on_wait = on_wait
        self._runtime.on_left = self._has_left

    def _next_name(self) -> str:
        name = self.base if not self._begun else f"{self.base}#{len(self._begun) + 1}"
        self._begun.append(name)
        return name

    # --- the program

    def execute(self, program: Program, on_interrupt: Callable[[int], object]) -> None:
        """Execute the program as ``__main__``; raises what it raises.

        ``on_interrupt`` is called with the number of the first SIGINT or SIGTERM that comes while instances run. The second one
        kills, and while none run they do what they natively do.
        """
        module, loader = make_main(program)
        use_wall_clock()
        self._runtime.activate()

        _interrupted[:] = [lambda number, frame: self._interrupt(number, frame, on_interrupt)]
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as in a background job, which Ctrl-C is not meant for
                signal.signal(number, interrupt)
        exec(loader.get_code("__main__"), module.__dict__)

    def _interrupt(self, number: int, frame: FrameType | None, on_interrupt: Callable[[int], object]) -> None:
        if _is_handing_over(frame):
            main = threading.main_thread().ident
            again = threading.Timer(0.01, signal_again, [number, main])  # to this thread: it may sleep by then
            again.daemon = True
            again.start()
            return
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        if not self._runtime.running:
            if number == signal.SIGINT:
                signal.default_int_handler(number, frame)
            signal.raise_signal(number)
        on_interrupt(number)

    # --- its instances

    def running(self) -> list[tuple[str, InstanceState | None]]:
        """Those that run, with the last state kept of each; None before there is one."""
        return [(run.instance_id, run.state) for run in list(self._runtime.running.values())]

    def suspend_all(self, then: Callable[[], object]) -> None:
        """Suspend those that run, and call ``then`` when foreign code in them has cleaned up: at once, if there is nothing to."""
        runs = list(self._runtime.running.values())
        if self._when_suspended is not None or not any(run.driver is not None and run.driver.has_to_leave() for run in runs):
            then()
            return
        self._when_suspended = then
        watchdog = threading.Timer(self._runtime.grace_seconds + 1.0, then)  # the program may not come to rest
        watchdog.daemon = True
        watchdog.start()
        for run in runs:
            if run.driver is not None:
                run.driver.loop.real.call_soon_threadsafe(run.suspend)

    def _has_left(self, instance_id: str, error: Exception) -> None:
        if isinstance(error, InstanceSuspendedError):
            self._suspended.add(instance_id)
            if self._when_suspended is not None and self._suspended >= self._runtime.running.keys():
                self._when_suspended()
        elif self._on_refused is not None and isinstance(error, DurableError) and not isinstance(error, PauseForEventException):
            self._on_refused(error)

    def give_up(self, seconds: float) -> list[StoreError]:
        """Leave all instances as they were at the last commit: one under way may finish, and the next run waits for no
        lease. Gives what went wrong; returns after ``seconds`` in any case.
        """
        errors: list[StoreError] = []
        thread = threading.Thread(target=self._release_all, args=(errors,), daemon=True)
        thread.start()
        thread.join(seconds)
        return errors

    def _release_all(self, errors: list[StoreError]) -> None:
        async def release() -> None:
            for run in list(self._runtime.running.values()):
                if run.lease.claim is not None:
                    await self._runtime.instances.release(run.lease.claim)

        try:
            asyncio.run(release())
        except StoreError as error:
            errors.append(error)

    # --- what the store has of it

    async def check_free(self) -> None:
        """Raise InstanceBusyError while another process runs this program: nothing of the script is executed then.

        Raises StoreError when the store cannot be written.
        """
        runtime = self._runtime
        for name in {self.base, *(each.instance_id for each in await self._summaries())}:
            begun, _ = await runtime.keeper.begin(name, None, b"")
            await runtime.instances.release(begun.claim, has_lived=False)

    async def unfinished(self) -> list[InstanceSummary]:
        """The instances that have begun and are not completed. Raises StoreError."""
        found = [await self._runtime.instances.summary(name) for name in self._begun]
        return [summary for summary in found if summary is not None and summary.status != "completed"]

    async def failure(self, instance_id: str) -> Failure | None:
        """How an instance has failed, and from where it is tried again; None if it has not. Raises StoreError."""
        return await self._runtime.failure_of(instance_id)

    async def forget(self) -> list[InstanceSummary]:
        """Remove the state of this run from the store; gives what was there. Raises StoreError."""
        found = await self._summaries()
        for each in found:
            await self._runtime.instances.delete(each.instance_id)
        await remove_unneeded(self._runtime.instances, self._runtime.keeper.oldest_since)
        return found

    async def _summaries(self) -> list[InstanceSummary]:
        found, query = list[InstanceSummary](), InstanceQuery(prefix=self.base)
        while True:
            page = await self._runtime.instances.list(query)
            found += page.instances
            if page.cursor is None:
                return [each for each in found if each.instance_id == self.base or each.instance_id.startswith(self.base + "#")]
            query = replace(query, cursor=page.cursor)


_interrupted: list[Callable[[int, FrameType | None], None]] = []  # of the session that executes a program


def interrupt(number: int, frame: FrameType | None) -> None:
    """The handler of SIGINT and SIGTERM while a program is executed. Programs may keep it, to set it again."""
    for handle in _interrupted:
        handle(number, frame)


def run_apart(coroutine: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine that is no part of the program. It runs in an event loop of its own, and that of the thread,
    which the program may ask for, is as if nothing had been run: ``asyncio.run`` would leave the thread without any."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)


def _is_handing_over(frame: FrameType | None) -> bool:
    """Whether the code that a signal interrupted holds the lock of a store's worker: releasing would wait for ever."""
    while frame is not None:
        if frame.f_code in _HANDING_OVER:
            return True
        frame = frame.f_back
    return False
