"""Timers of an instance, and its time: seconds since 1970, so that what is left of a delay survives a restart."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from contextvars import Context
from typing import Any

from .callbacks import NOTHING, CallbackLoop

LEAST_DRIFT = 1.0  # seconds
MOST_CHANGES = 10_000  # that are noted between two checkpoints: an instance may be held for days
MIN_DURABLE_DELAY = 0.1  # seconds: the deadline of a shorter timer is not worth a commit
_TimerHandle: Any = asyncio.TimerHandle


class Timer(_TimerHandle):  # type: ignore[misc]
    """A timer of an instance; of those for the same moment, the one that was made first fires first."""

    __slots__ = ("place",)

    def __lt__(self, other: Any) -> bool:
        mine: tuple[float, int] = (self._when, self.place)
        return mine < (other._when, other.place)


class TimerLoop(CallbackLoop):
    """A loop whose timers are state: they make their callbacks ready when what runs it asks for those that are due."""

    __slots__ = ("_alarm", "_cancelled_timers", "_clock_offset", "drift", "has_new_timer", "new_timers", "timers")

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[Timer] = []  # a heap
        self.new_timers: list[Timer] = []  # since the last checkpoint
        self.has_new_timer = False  # one whose deadline is worth a checkpoint
        self._cancelled_timers = 0
        self._clock_offset = 0.0
        self.drift = 0.0  # seconds by which the wall clock was ahead when it was attached: its own clock goes on through a jump
        self._alarm: asyncio.TimerHandle | None = None

    def attach(self) -> None:
        """Run over the loop that is running."""
        super().attach()
        self._clock_offset = time.time() - self.real.time() - self.drift

    def is_saved(self) -> None:
        """The last checkpoint is now."""
        super().is_saved()
        self.new_timers = []

    def has_changed_much(self) -> bool:
        """Whether more has happened since the last checkpoint than is worth to be noted."""
        return len(self.called) + len(self.new_timers) + len(self.changed_callbacks) > MOST_CHANGES

    def begin_wait(self) -> asyncio.Future[None]:
        """A future of the process that is done when there is something to do, until ``end_wait``."""
        waiter = self._waiter = self.real.create_future()
        deadline = self.next_deadline()
        if deadline is not None:
            self._alarm = self.real.call_at(deadline - self._clock_offset, self._poke)
        if not self.ready:
            self.ready = NOTHING
        return waiter

    def end_wait(self) -> None:
        """Nobody waits any more."""
        self._waiter = None
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def time(self) -> float:
        """See ``asyncio.AbstractEventLoop``; as for all methods below."""
        return self.real.time() + self._clock_offset

    def ahead(self) -> float:
        """Seconds by which the wall clock is ahead now, as it was set, or the machine has slept."""
        drift = time.time() - self.time()
        return drift if abs(drift) > LEAST_DRIFT else 0.0

    def next_deadline(self) -> float | None:
        """When the next timer is due."""
        while self.timers and self.timers[0]._cancelled:
            heapq.heappop(self.timers)._scheduled = False
            self._cancelled_timers -= 1
        return self.timers[0].when() if self.timers else None

    def take_due_timers(self) -> None:
        """Make the callbacks of timers that are due ready."""
        end = self.time() + time.get_clock_info("monotonic").resolution
        while (deadline := self.next_deadline()) is not None and deadline <= end:
            handle = heapq.heappop(self.timers)
            handle._scheduled = False
            self.called.append(handle)
            self._accept(handle)

    def _timer_handle_cancelled(self, handle: Timer) -> None:
        self.called.append(handle)
        if not handle._scheduled:
            return
        self._cancelled_timers += 1
        if self._cancelled_timers > 100 and self._cancelled_timers > len(self.timers) / 2:
            for timer in self.timers:
                timer._scheduled = not timer._cancelled
            self.timers = [timer for timer in self.timers if not timer._cancelled]
            heapq.heapify(self.timers)
            self._cancelled_timers = 0

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self.is_asked_by_program():
            return self._schedule(self.time() + delay, callback, args, context)
        return self.real.call_later(delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        if self.is_asked_by_program():
            return self._schedule(when, callback, args, context)
        return self.real.call_at(when - self._clock_offset, callback, *args, context=context)

    def _schedule(
        self, when: float, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None
    ) -> asyncio.TimerHandle:
        handle = Timer(when, callback, args, self, context)
        handle.place = self.next_place()
        handle._scheduled = True
        heapq.heappush(self.timers, handle)
        self.new_timers.append(handle)
        if when - self.time() >= MIN_DURABLE_DELAY:
            self.has_new_timer = True
        self.is_dirty = True
        if not self.is_inside:
            self._poke()
        return handle
