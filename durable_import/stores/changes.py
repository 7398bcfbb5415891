"""Waiting until a store has changed: woken at once by this process, and looking now and then for what others did."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from weakref import WeakSet, WeakValueDictionary

from durable_import.pythons import forks


def mark_of(instance_id: str) -> str:
    """What stands for an id where many are told of."""
    return hashlib.sha256(instance_id.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Awaited:
    """The instances whose end somebody waits for: that of no other one concerns him."""

    def __init__(self) -> None:
        self._marks: Counter[str] = Counter()

    @contextmanager
    def waiting_for(self, instance_id: str) -> Iterator[None]:
        """As long as the block lasts."""
        mark = mark_of(instance_id)
        self._marks[mark] += 1
        try:
            yield
        finally:
            self._marks[mark] -= 1
            if not self._marks[mark]:
                del self._marks[mark]

    def __contains__(self, mark: str) -> bool:
        return mark in self._marks


LEAST_SECONDS = 1.0  # for a look to come back, also if the time to wait is shorter


class Bell:
    """Wakes all who listen, in any event loop and thread. ``rings``: how often it was rung."""

    def __init__(self) -> None:
        self.rings = 0
        self._start_over()
        self._at_fork = forks.AtFork(self._start_over)

    def _start_over(self) -> None:
        self._lock = threading.Lock()
        self._listening: set[asyncio.Future[None]] = set()
        self._awaited: WeakSet[Awaited] = WeakSet()

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

    def is_for(self, awaited: Awaited) -> None:
        """Ends of these instances are to be told by it."""
        with self._lock:
            self._awaited.add(awaited)

    def is_awaited(self, mark: str) -> bool:
        """Whether somebody waits for the end of an instance; see ``mark_of``."""
        with self._lock:
            return any(mark in awaited for awaited in self._awaited)

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

    async def wait(self, timeout: float, awaited: Awaited | None = None) -> None:
        """See ``store.Store.wait_for_change``."""
        if awaited is not None:
            self.bell.is_for(awaited)
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
