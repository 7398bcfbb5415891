"""Looks after the instances of one runtime in the background: brings events to those that run here, takes up those that have
something to do and that nobody runs, and clears away those that have been finished for long enough."""

from __future__ import annotations

import asyncio
import heapq
import secrets
import time
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from ..aio.gate import Gate
from ..errors import FencedError, InstanceBusyError, StoreError
from ..log import logger
from ..stores.changes import Awaited
from ..stores.store import Begun, Store
from ..stores.suspects import alone_before
from .held_back import HeldBack
from .instance.run import InstanceRun
from .keeper import Keeper, Ownership
from .unneeded import remove_unneeded

AT_ONCE = 250  # instances taken up before others are looked for
CLEARING_EVERY = 60.0  # seconds
LEAST_PAUSE = 0.02  # seconds between two looks because of changes, of which each instance that runs here makes some
LOOK_BACK = 5000  # events: of two that are published at once, that with the lower number may be seen later
LOOK_BACK_EVERY = 1.0  # seconds
LONGEST_PAUSE = 30.0  # seconds between attempts while the store is unavailable


class DispatcherHost(Protocol):
    """What it needs of the runtime."""

    instances: Store
    keeper: Keeper
    held_back: HeldBack
    running: dict[str, InstanceRun]
    keep_finished: float | None
    max_attempts: int | None

    def about(self, instance_id: str, checkpoint: int | None = None) -> dict[str, Any]:
        """What a record of the log says of an instance."""
        ...

    def take_up(self, begun: Begun, gate: Gate) -> InstanceRun:
        """Let an instance that was claimed go on in a task of its own."""
        ...


class Dispatcher:
    """See the module. ``poll_interval``: seconds between two looks at the store, if it does not tell of changes."""

    def __init__(self, runtime: DispatcherHost, poll_interval: float) -> None:
        self._runtime = runtime
        self._poll_interval = poll_interval
        self._task: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()  # set and exchanged after each look
        self._wanted = asyncio.Event()  # somebody of this process has changed something
        self._claims = asyncio.Lock()  # one claim at a time
        self._refused: dict[str, BaseException] = {}  # what has kept an instance from going on here, since it was taken up last
        self._own: Ownership | None = None  # for which events were looked for last
        self._seen = 0  # the highest number of an event
        self._looks_back_at = 0.0  # by ``time.monotonic``
        self._epoch: int | None = None  # of a claim that was not answered
        self._due: list[float] = []  # a heap: when instances that have left the memory here are to come back, since 1970
        self._rests_until = 0.0
        self._cleared_at = 0.0
        self._clearing: asyncio.Task[None] | None = None
        self.awaited = Awaited()  # by this process, of instances that run elsewhere perhaps
        self.takes_work = True  # whether instances are taken up that nobody runs
        self.takes_orphans = False  # ... also those whose owner has stopped

    def ensure(self) -> None:
        """Run, in the running loop."""
        if self._task is None or self._task.done() or self._task.get_loop() is not asyncio.get_running_loop():
            self._begin_in_loop()
            self._task = asyncio.create_task(self._serve(), name="durable_import dispatcher")

    def _begin_in_loop(self) -> None:
        self._looked, self._wanted, self._claims = asyncio.Event(), asyncio.Event(), asyncio.Lock()

    def wake(self) -> None:
        """Look now."""
        self._wanted.set()

    def wake_soon(self) -> None:
        """The same, from another thread."""
        task = self._task
        if task is not None:
            with suppress(RuntimeError):  # nobody looks in a closed loop
                task.get_loop().call_soon_threadsafe(self.wake)

    def look_at(self, moment: float) -> None:
        """Look then, however long it is to the next look: an instance that has left the memory comes back on time."""
        heapq.heappush(self._due, moment)
        if moment < self._rests_until:
            self.wake()

    async def wait_for_look(self) -> None:
        """Return after the next look at the store."""
        self.ensure()
        await self._looked.wait()

    def start_over(self) -> None:
        """In a forked process, whose event loop is another one."""
        self._task = self._clearing = None
        self._begin_in_loop()

    async def stop(self) -> None:
        """End; nothing is taken up any more."""
        task, self._task = self._task, None
        self._looked.set()
        tasks = [each for each in (task, self._clearing) if each is not None and each.get_loop() is asyncio.get_running_loop()]
        for each in tasks:
            each.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self) -> None:
        pause = self._poll_interval
        while True:
            try:
                is_more = await self.look()
                pause = self._poll_interval
            except (StoreError, OSError) as error:
                is_more, pause = False, min(max(pause, 0.1) * 2, LONGEST_PAUSE)
                logger.warning("the store cannot be asked for work, next attempt in %.1f s: %s", pause, error)
            except Exception as error:  # a mistake, of a store of the user's own perhaps: nobody else would tell of it
                is_more, pause = False, min(max(pause, 0.1) * 2, LONGEST_PAUSE)
                logger.exception("looking for work has failed, next attempt in %.1f s: %r", pause, error)
            looked, self._looked = self._looked, asyncio.Event()
            looked.set()
            self._runtime.held_back.let_ask()
            if is_more:
                await asyncio.sleep(0)
            else:
                await self._rest(pause)

    async def _rest(self, pause: float) -> None:
        """Wait until there may be something to do."""
        now = time.time()
        while self._due and self._due[0] <= now:
            heapq.heappop(self._due)
        pause = min(pause, self._due[0] - now) if self._due else pause
        self._rests_until = now + pause
        waits = [asyncio.ensure_future(self._wanted.wait()), asyncio.ensure_future(self._change(pause))]
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        self._wanted.clear()
        for wait in done:
            error = wait.exception()
            if isinstance(error, (StoreError, OSError)):
                await asyncio.sleep(pause)  # the next look says what is the matter
            elif error is not None:
                raise error

    async def _change(self, pause: float) -> None:
        await asyncio.sleep(min(LEAST_PAUSE, pause))
        await self._runtime.instances.wait_for_change(max(pause - LEAST_PAUSE, 0.0), self.awaited)

    async def look(self) -> bool:
        """Look at the store once; gives whether there is more to do at once."""
        await self._bring_events()
        is_more = False
        if self.takes_work:
            is_more = await self._take_up(self.takes_orphans)
            await self._clear()
        return is_more

    async def _bring_events(self) -> None:
        running, own = self._runtime.running, self._runtime.keeper.own
        if not running or own is None:
            return
        if own is not self._own:
            self._own, self._seen = own, 0
        since, now = self._seen, time.monotonic()
        if now >= self._looks_back_at:
            since, self._looks_back_at = max(since - LOOK_BACK, 0), now + LOOK_BACK_EVERY
        found = await self._runtime.instances.pending(own.number, since)
        for instance_id in found:
            run = running.get(instance_id)
            if run is not None:
                await run.take_events()
        self._seen = max(self._seen, *found.values(), 0)

    async def _take_up(self, orphans: bool) -> bool:
        async with self._claims:
            runs, is_more = await self._claim_and_launch(orphans)
        for run in runs:
            await self._has_begun(run)
        return is_more

    async def _claim_and_launch(self, orphans: bool) -> tuple[list[InstanceRun], bool]:
        runtime, asked_at = self._runtime, time.monotonic()
        claiming = asyncio.ensure_future(self._claim(orphans))
        try:
            found, own = await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(StoreError, OSError):  # away: what was taken is free when the row of this process is given up
                for begun in (await claiming)[0]:  # nobody would run them
                    await runtime.instances.release(begun.claim, has_lived=False)
            raise
        runs = list[InstanceRun]()
        for begun in found:
            run = runtime.running.get(begun.claim.instance_id)
            if run is not None and run.receives(begun, own):
                runs.append(run)
                continue
            if run is not None and (not run.begun.done() or run.lease.asked_at >= asked_at):
                await runtime.instances.release(begun.claim, has_lived=False)  # somebody here has begun it meanwhile
                continue
            if run is not None:
                run.is_lost()
            runs.append(runtime.take_up(begun, own))
        return runs, len(found) == AT_ONCE

    async def _claim(self, orphans: bool) -> tuple[list[Begun], Ownership]:
        """Become the owner of some of what is to be done. What an earlier claim has taken that was not answered is among it."""
        runtime = self._runtime
        is_again, self._epoch = self._epoch is not None, self._epoch or secrets.randbits(62) | 1
        alone_from = alone_before(runtime.max_attempts)
        claim = partial(runtime.instances.claim, orphans=orphans, alone_from=alone_from, is_again=is_again)
        while True:
            own = await runtime.keeper.ownership()
            try:
                found = await claim(own.number, self._epoch, AT_ONCE)
                break
            except FencedError:  # this process was taken for dead
                own.ends()
        self._epoch = None
        return found, own

    async def _has_begun(self, run: InstanceRun) -> None:
        try:
            await asyncio.shield(run.begun)
        except InstanceBusyError:
            return  # somebody else was faster
        except Exception as error:  # whatever it is, the other instances go on
            self.was_refused(run.instance_id, error)
            about = self._runtime.about(run.instance_id)
            logger.debug("instance %s was not taken up: %s", run.instance_id, error, extra=about)

    def was_refused(self, instance_id: str, error: BaseException) -> None:
        """It could not go on here: who asks for its result before it is taken up again is told that."""
        self._refused[instance_id] = error

    def check_refused(self, instance_id: str) -> None:
        """Raise what keeps an instance from going on here."""
        if instance_id in self._refused:
            raise self._refused[instance_id]

    def is_taken_up(self, instance_id: str) -> None:
        """An instance begins or goes on here: what kept it from that may be mended."""
        self._refused.pop(instance_id, None)

    async def take_up_all(self) -> list[InstanceRun]:
        """All that nobody runs, once."""
        before = dict(self._runtime.running)
        while await self._take_up(orphans=True):
            pass
        return [run for name, run in self._runtime.running.items() if before.get(name) is not run]

    async def _clear(self) -> None:
        seconds = self._runtime.keep_finished
        if time.monotonic() - self._cleared_at < min(CLEARING_EVERY, CLEARING_EVERY if seconds is None else seconds):
            return
        self._cleared_at = time.monotonic()
        if self._clearing is None or self._clearing.done():  # work is looked for meanwhile
            self._clearing = asyncio.create_task(self._remove_texts(), name="durable_import texts")
        if seconds is None:
            return
        removed = await self._runtime.instances.remove_finished(seconds)
        if removed:
            logger.info("removed %d instances that had been finished for %.0f s", removed, seconds)

    async def _remove_texts(self) -> None:
        try:
            removed = await remove_unneeded(self._runtime.instances, self._runtime.keeper.oldest_since)
        except (StoreError, OSError) as error:  # it is tried again
            logger.warning("texts of the program that nobody needs were not removed: %s", error)
            return
        if removed:
            logger.info("removed %d texts of the program that no instance needs any more", removed)
