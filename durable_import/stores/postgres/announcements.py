"""A thread with a connection of its own that hears of changes, and tells others of those that this process makes: all, or those
whose instances they concern.

Only a wake-up: what waits looks for itself, and now and then without having been woken. Told is never inside of a commit: all who
tell wait for one lock of the server.
"""

from __future__ import annotations

import selectors
import socket
import threading
import time
import weakref
from collections.abc import Collection

from durable_import.errors import StoreUnavailableError
from durable_import.log import logger
from durable_import.stores.changes import Bell
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.driver import psycopg
from durable_import.stores.postgres.session import GRACE, Connection, connect

BETWEEN = 0.03  # seconds between two announcements
MOST = 300  # that are named in one; if there are more, it is for all
_PAUSES = (0.1, 1.0, 5.0)  # seconds before it connects again
_LAST = 2.0  # seconds for what is to be told when it ends


class _Notices:
    """What is to be told: to all, or to the processes of some owners, or to those who wait for the end of some instances."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._whom: set[str | None] = set()  # None: all

    def add(self, whom: str | None) -> bool:
        """Whether there was nothing before."""
        with self._lock:
            was_empty = not self._whom
            self._whom.add(whom)
            return was_empty

    def take(self) -> str:
        """Whom it concerns, or nothing for all; what is added from now on is told the next time."""
        with self._lock:
            whom, self._whom = self._whom, set()
        is_for_all = None in whom or len(whom) > MOST
        return "" if is_for_all else ",".join(sorted(str(each) for each in whom))

    def __bool__(self) -> bool:
        return bool(self._whom)


class Announcer:
    """Starts the thread when it is first needed; it ends on ``stop`` or when the announcer is garbage. ``ours``: the numbers of
    the owners of this process, which may change."""

    def __init__(self, address: Address, patience: float, channel: str, bell: Bell, ours: Collection[int]) -> None:
        self._task = (address, patience, channel, bell, ours)
        self._lock = threading.Lock()
        self._wakes: socket.socket | None = None  # closed: the end
        self._thread: threading.Thread | None = None
        self._notices = _Notices()

    def start(self) -> None:
        """Listen from now on."""
        with self._lock:
            if self._wakes is None:
                ours, theirs = socket.socketpair()
                arguments = (*self._task, theirs, self._notices)
                self._thread = threading.Thread(target=_serve, args=arguments, name="durable_import listener", daemon=True)
                self._thread.start()
                self._wakes = ours
                weakref.finalize(self, ours.close).atexit = False

    def announce(self, whom: str | None = None) -> None:
        """Tell others of a change, soon: all, or those whom it concerns: the number of an owner, or the mark of an instance that
        has ended."""
        self.start()
        if self._notices.add(whom):
            with self._lock:
                if self._wakes is not None:
                    self._wakes.send(b"x")

    def stop(self) -> None:
        """Tell what is to be told, and end the thread."""
        with self._lock:
            (wakes, self._wakes), (thread, self._thread) = (self._wakes, None), (self._thread, None)
        if wakes is not None and thread is not None:
            wakes.close()
            thread.join(_LAST)


def _serve(
    address: Address, patience: float, channel: str, bell: Bell, ours: Collection[int], stop: socket.socket, notices: _Notices
) -> None:
    """Until the other end of ``stop`` is closed."""
    failures = 0
    with stop, selectors.DefaultSelector() as selector:
        selector.register(stop, selectors.EVENT_READ)
        while True:
            try:
                connection, manners = connect(address, patience)
                with connection:
                    if not manners.is_pooled:  # else nobody would be told here
                        connection.execute("SET synchronous_commit = off", prepare=False)
                        connection.execute(f'LISTEN "{channel}"', prepare=False)
                    failures = 0
                    bell.ring()  # what was told while nobody listened
                    _Telephone(connection, channel, bell, ours, notices).serve(selector, stop)
                    return
            except (psycopg.Error, StoreUnavailableError) as error:
                logger.debug("not listening for changes at %s: %s", address, error)
                if _is_ended(selector, stop, _PAUSES[min(failures, len(_PAUSES) - 1)]):
                    return
                failures += 1


def _is_ended(selector: selectors.BaseSelector, stop: socket.socket, seconds: float) -> bool:
    """Wait for so long, or for the end."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        if selector.select(left) and not stop.recv(64):
            return True
    return False


class _Telephone:
    """``connection`` listens; ``notices`` are to be told by it."""

    def __init__(self, connection: Connection, channel: str, bell: Bell, ours: Collection[int], notices: _Notices) -> None:
        self._connection = connection
        self._text = f'NOTIFY "{channel}"'
        self._bell = bell
        self._ours = ours
        self._notices = notices
        self._told_at = 0.0

    def serve(self, selector: selectors.BaseSelector, stop: socket.socket) -> None:
        """Until the end; raises psycopg.OperationalError when the connection is lost."""
        number = self._connection.fileno()
        selector.register(number, selectors.EVENT_READ)
        try:
            while True:
                ready = {key.fileobj for key, _ in selector.select(self._pause())}
                if stop in ready and not stop.recv(64):
                    self._tell(0.0)
                    return
                if number in ready:
                    self._hear()
                self._tell(BETWEEN)
        finally:
            selector.unregister(number)

    def _pause(self) -> float | None:
        if not self._notices:
            return None
        return max(self._told_at + BETWEEN - time.monotonic(), 0.0)

    def _tell(self, between: float) -> None:
        """If something is to be told, and the last time is long enough ago."""
        now = time.monotonic()
        if self._notices and now >= self._told_at + between:
            whom = self._notices.take()
            self._connection.deadline = now + GRACE
            self._connection.execute(f"{self._text}, '{whom}'" if whom else self._text, prepare=False)
            self._told_at = now
            self._hear()  # what came with the answer

    def _hear(self) -> None:
        self._connection.deadline = time.monotonic() + GRACE
        told = [each.payload for each in self._connection.notifies(timeout=0) if each.pid != self._connection.info.backend_pid]
        if any(not whom or self._concerns_us(whom.split(",")) for whom in told):
            self._bell.ring()

    def _concerns_us(self, whom: list[str]) -> bool:
        return any(str(number) in whom for number in tuple(self._ours)) or any(map(self._bell.is_awaited, whom))
