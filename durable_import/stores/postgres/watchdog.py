"""Ends what takes too long, from a thread that sleeps meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Watchdog:
    """Calls ``bite`` in a thread of its own if a block within ``watching`` takes longer than ``seconds``."""

    def __init__(self, seconds: float, bite: Callable[[], None]) -> None:
        self._seconds = seconds
        self._bite = bite
        self._lock = threading.Lock()
        self._deadline: float | None = None
        self._stopped: threading.Event | None = None  # of the thread, while there is one

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Watch this block; one at a time."""
        with self._lock:
            self._deadline = time.monotonic() + self._seconds
            if self._stopped is None:
                self._stopped = threading.Event()
                threading.Thread(target=self._watch, args=(self._stopped,), name="durable_import watchdog", daemon=True).start()
        try:
            yield
        finally:
            with self._lock:
                self._deadline = None

    def stop(self) -> None:
        """End the thread; the next block starts another one."""
        with self._lock:
            stopped, self._stopped = self._stopped, None
        if stopped is not None:
            stopped.set()

    def _watch(self, stopped: threading.Event) -> None:
        """Deadlines only move on, so it is enough to look again when the one that was seen has come."""
        left = self._seconds
        while not stopped.wait(left):
            with self._lock:
                left = self._seconds if self._deadline is None else self._deadline - time.monotonic()
                if left <= 0:
                    self._deadline = None
                    self._bite()
                    left = self._seconds
