"""A thread with a connection of its own that rings a bell when the database tells of a change.

Only a wake-up: what waits looks for itself, and now and then without having been woken.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import weakref

from durable_import.errors import StoreUnavailableError
from durable_import.log import logger
from durable_import.stores.changes import Bell
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.connection import Connection, connect
from durable_import.stores.postgres.driver import psycopg

_PAUSES = (0.1, 1.0, 5.0)  # seconds before it connects again


class Listener:
    """Starts the thread when it is first needed; it ends on ``stop`` or when the listener is garbage."""

    def __init__(self, address: Address, patience: float, channel: str, bell: Bell) -> None:
        self._task = (address, patience, channel, bell)
        self._lock = threading.Lock()
        self._stop: weakref.finalize[[], Listener] | None = None
        self._pid = 0

    def start(self) -> None:
        """Listen from now on."""
        with self._lock:
            if self._stop is not None and self._pid == os.getpid():  # threads do not survive a fork
                return
            self._pid = os.getpid()
            ours, theirs = socket.socketpair()
            threading.Thread(target=_listen, args=(*self._task, theirs), name="durable_import listener", daemon=True).start()
            self._stop = weakref.finalize(self, ours.close)
            self._stop.atexit = False

    def stop(self) -> None:
        """End the thread."""
        with self._lock:
            stop, self._stop = self._stop, None
        if stop is not None:
            stop()


def _listen(address: Address, patience: float, channel: str, bell: Bell, stop: socket.socket) -> None:
    """Until the other end of ``stop`` is closed."""
    failures = 0
    with stop, selectors.DefaultSelector() as selector:
        selector.register(stop, selectors.EVENT_READ)
        while True:
            try:
                with connect(address, patience) as connection:
                    connection.execute(f'LISTEN "{channel}"')
                    failures = 0
                    bell.ring()  # what was told while nobody listened
                    if _ring_until(connection, bell, selector, stop):
                        return
            except (psycopg.Error, StoreUnavailableError) as error:
                logger.debug("not listening for changes at %s: %s", address, error)
                if selector.select(_PAUSES[min(failures, len(_PAUSES) - 1)]):
                    return
                failures += 1


def _ring_until(connection: Connection, bell: Bell, selector: selectors.BaseSelector, stop: socket.socket) -> bool:
    """True when it is to stop; raises psycopg.OperationalError when the connection is lost."""
    number = connection.fileno()
    selector.register(number, selectors.EVENT_READ)
    try:
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if stop in ready:
                return True
            connection.pgconn.consume_input()
            if connection.pgconn.status != psycopg.pq.ConnStatus.OK:
                raise psycopg.OperationalError("the connection was lost")
            told = 0
            while connection.pgconn.notifies() is not None:
                told += 1
            if told:
                bell.ring()
    finally:
        selector.unregister(number)
