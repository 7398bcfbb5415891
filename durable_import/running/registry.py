"""The instances that live in a runtime, each in a task, and what is done when a life ends without an outcome."""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from typing import Any, Protocol

from ..aio.gate import Gate
from ..errors import (
    FencedError,
    InstanceBusyError,
    InstanceStuckError,
    InstanceSuspendedError,
    PauseForEventException,
    StateLostError,
    UnknownInstanceError,
)
from ..frames import ambient
from ..log import logger
from ..stores.state import NO_ORIGIN, Origin, pause_after
from ..stores.store import Begun
from .dispatcher import Dispatcher
from .instance.host import Host
from .instance.records import Call, Outcome
from .instance.run import InstanceRun
from .patience import AWAY, FIRST_PAUSE, LONGEST_PAUSE

QUIET_FOR = 60.0  # seconds


class RegistryHost(Host, ambient.AmbientRuntime, Protocol):
    """What this needs of the runtime; ``evict_after``: seconds."""

    dispatcher: Dispatcher
    evict_after: float | None


class InstanceRegistry:
    """The instances that live in ``runtime``: ``running`` has them by their ids."""

    def __init__(self, runtime: RegistryHost) -> None:
        self._runtime = runtime
        self.running: dict[str, InstanceRun] = {}
        self._quiet_until = 0.0  # by ``time.monotonic``: it was told that the store has gone back

    def launch(
        self,
        instance_id: str,
        call: Call | None,
        *,
        origin: Origin = NO_ORIGIN,
        retries: bool = False,
        from_failure: bool = False,
        taken: tuple[Begun, Gate] | None = None,
    ) -> InstanceRun:
        """Let an instance live in a task of its own, whose context variables are those that it is given, and no others: it may
        have begun elsewhere. ``taken``: it is owned already."""
        runtime, context, bare = self._runtime, contextvars.copy_context(), contextvars.Context()
        limit = runtime.evict_after
        options: Any = {"retries": retries, "from_failure": from_failure, "evict_after": limit}
        run = InstanceRun(runtime, instance_id, call, context=context, origin=origin, **options)
        run.lease.taken = taken
        bare.run(ambient.current_runtime.set, runtime)
        run.task = bare.run(asyncio.create_task, self._live(run, None), name=f"instance {instance_id}")
        self.running[instance_id] = run
        runtime.dispatcher.is_taken_up(instance_id)
        run.task.add_done_callback(_look_at_error)
        return run

    async def begin(self, instance_id: str, make: Callable[[], Any]) -> Outcome:
        """Let an instance live in the running task: it begins by being awaited, and ``make`` gives its coroutine."""
        run = self.running[instance_id] = InstanceRun(self._runtime, instance_id, context=contextvars.copy_context())
        return await self._live(run, make)

    async def _live(self, run: InstanceRun, make: Callable[[], Any] | None) -> Outcome:
        """From beginning to end; without ``make``, in a task of its own."""
        ambient.switch_on(self._runtime)  # it need not have been entered
        try:
            after, pause = 0.0, FIRST_PAUSE
            if make is None:
                await self._runtime.slices.turn()
            while True:
                try:
                    return await run.to_end(make, after)
                except InstanceSuspendedError:
                    if not run.begins_again:
                        raise
                    run.is_suspending = run.begins_again = False
                    continue
                except StateLostError as error:
                    if run.is_suspending:
                        raise
                    self._has_gone_back(run, error)
                except FencedError as error:
                    if make is not None or run.is_suspending or not run.lease.is_lost():
                        raise
                    logger.info("instance %s is asked for again: %s", run.instance_id, error, extra=run.lease.about())
                    run.call = None  # if it is gone, it stays so
                except AWAY as error:
                    if not run.lease.has_lost_transaction or run.is_suspending or self._runtime.patience == 0:
                        raise
                    about = run.lease.about()
                    logger.warning(
                        "a transaction of instance %s was lost, it goes on from before it in %.1f s: %s",
                        run.instance_id,
                        pause,
                        error,
                        extra=about,
                    )
                run.lease.has_lost_transaction = False
                after, pause = pause, min(pause * 2, LONGEST_PAUSE)
        except Exception as error:
            is_ended = run.driver is not None and run.driver.ended
            if self._runtime.on_left is not None and not is_ended:
                self._runtime.on_left(run.instance_id, error)
            if make is None:
                self._has_left(run, error)
            raise
        finally:
            ambient.ON.remove(self._runtime)
            if self.running.get(run.instance_id) is run:
                del self.running[run.instance_id]
            if run.lease.attempts:  # there may be room for another one of its kind
                self._runtime.held_back.let_ask()

    def _has_gone_back(self, run: InstanceRun, error: StateLostError) -> None:
        """Tell that an instance goes on from an earlier state: loudly of the first one of many."""
        now, about = time.monotonic(), run.lease.about()
        if now >= self._quiet_until:
            more = "Others whose states it has lost do so too; what they did since then runs again"
            logger.warning("%s %s", error, more, extra=about)
        else:
            logger.info("%s", error, extra=about)
        self._quiet_until = now + QUIET_FOR

    def _has_left(self, run: InstanceRun, error: Exception) -> None:
        """Log why an instance that did not end has left; those who wait for it are told by its task."""
        wake_at = run.state.wake_at if run.state is not None else None
        if isinstance(error, InstanceSuspendedError) and wake_at is not None:
            self._runtime.dispatcher.look_at(wake_at)
        if isinstance(error, (InstanceSuspendedError, PauseForEventException, InstanceBusyError)):
            return
        if isinstance(error, UnknownInstanceError):
            return  # its caller is told
        if isinstance(error, InstanceStuckError) and run.lease.failure is None:
            return  # that was told before
        if run.call is not None and run.begun.exception() is not None:
            return  # a call was refused: its caller is told, and the instance of that id, if there is one, is as it was
        if isinstance(error, FencedError):
            about = self._runtime.about(run.instance_id)
            logger.warning("instance %s goes on elsewhere: %s", run.instance_id, error, extra=about)
            return
        self._runtime.dispatcher.was_refused(run.instance_id, error)
        self._tell(run, error)

    def _tell(self, run: InstanceRun, error: Exception) -> None:
        checkpoint = run.state.checkpoint if run.state is not None else None
        about, failure = self._runtime.about(run.instance_id, checkpoint), run.lease.failure
        what = f"instance {run.instance_id} cannot go on from checkpoint {checkpoint}"
        if failure is None:
            logger.error("%s: %s", what, error, extra=about)
        elif failure.is_stuck:
            stuck = InstanceStuckError(run.instance_id, failure.error, failure.attempts)
            logger.error("%s: %s", what, stuck, extra=about)
        else:
            pause = pause_after(failure.attempts)
            logger.warning("%s, attempt %d, the next one in %.0f s: %s", what, failure.attempts, pause, error, extra=about)
            self._runtime.dispatcher.look_at(time.time() + pause)


def _look_at_error(task: asyncio.Task[Outcome]) -> None:
    """So that asyncio does not say that nobody has: it is logged, and told to those who ask."""
    if not task.cancelled():
        task.exception()
