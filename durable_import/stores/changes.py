"""Waiting until a store has changed: woken at once by this process, and looking now and then for what others did."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from weakref import WeakValueDictionary

from durable_import.pythons import forks

LEAST_SECONDS = 1.0  # for a look to come back, also if the time to wait is shorter


class Bell:
    """Wakes all who listen, in any event loop and thread. ``rings``: how often it was rung."""

    def __init__(self) -> None:
        self.rings = 0
        self._begin_anew()
        self._at_fork = forks.AtFork(self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._listening: set[asyncio.Future[None]] = set()

    def listen(self) -> asyncio.Future[None]:
        """A future that is done when the bell rings next; give it back to ``leave``."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._listening.add(future)
        return future

    def leave(self, future: asyncio.Future[None]) -> None:
        """Do not listen any more."""
        with self._lock:
            self._listening.discard(future)

    def ring(self) -> None:
        """May be called from any thread."""
        with self._lock:
            self.rings += 1
            listening, self._listening = self._listening, set()
        for future in listening:
            loop = future.get_loop()
            try:
                loop.call_soon_threadsafe(_wake, future)
            except RuntimeError:
                if not loop.is_closed():  # nobody waits in a closed loop
                    raise


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


_bells: WeakValueDictionary[str, Bell] = WeakValueDictionary()
_bells_lock = threading.Lock()


def bell_of(place: str) -> Bell:
    """The bell that all stores of this process share that keep their data at ``place``."""
    with _bells_lock:
        bell = _bells.get(place)
        if bell is None:
            bell = _bells[place] = Bell()
        return bell


class Changes:
    """``look`` gives a value that differs after each change; it is asked when ``bell`` rings and each ``interval`` seconds."""

    def __init__(self, look: Callable[[], Awaitable[object]], bell: Bell, interval: float) -> None:
        self.bell = bell
        self._look = look
        self._interval = interval
        self._seen: object = None

    async def wait(self, timeout: float) -> None:
        """See ``base.WatchedStore``."""
        deadline = time.monotonic() + timeout
        known = self._seen  # others may wait too, and see the same change
        while True:
            ringing = self.bell.listen()  # before looking: what happens in between rings
            try:
                # a store that is busy or gone may take its time to answer
                try:
                    found = await asyncio.wait_for(self._look(), max(deadline - time.monotonic(), LEAST_SECONDS))
                except TimeoutError:
                    return
                if found != known:
                    self._seen = found
                    return
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return
                await asyncio.wait([ringing], timeout=min(remaining, self._interval))
            finally:
                self.bell.leave(ringing)
