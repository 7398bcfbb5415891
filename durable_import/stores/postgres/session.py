"""Connections to a PostgreSQL server that end in an error after some time, and what is to be known of each."""

from __future__ import annotations

import math
import select
import time
from collections.abc import Generator
from typing import Any, NamedTuple, TypeVar

from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.driver import numeric, psycopg
from durable_import.stores.postgres.failures import not_connected

T = TypeVar("T")

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
GRACE = 5.0  # seconds beyond its own timeout that the server gets to answer

Row = tuple[Any, ...]


class Connection(psycopg.Connection[Row]):
    """One that waits for a server that does not answer, not even to its own timeout, until ``deadline`` only."""

    deadline = math.inf  # by the monotonic clock

    def wait(self, gen: Generator[Any, Any, T], *arguments: Any, **keywords: Any) -> T:
        """As in psycopg, which looks each 0.1 s whether it is to go on."""
        if self.deadline == math.inf:
            return super().wait(gen, *arguments, **keywords)
        return super().wait(_until(self.deadline, gen), *arguments, **keywords)


def _until(deadline: float, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
    """What psycopg waits for, until then."""
    try:
        wanted = next(gen)
        while True:
            ready = yield wanted
            if not ready and time.monotonic() > deadline:
                gen.close()
                raise psycopg.OperationalError("the server has not answered in time")
            wanted = gen.send(ready)
    except StopIteration as end:
        result: T = end.value
        return result


def is_to_be_replaced(connection: psycopg.Connection[Any] | psycopg.AsyncConnection[Any]) -> bool:
    """Whether the server has said something while nothing was asked: farewell, mostly; a new connection hears what else."""
    return connection.closed or _is_readable(connection.pgconn.socket)


def _is_readable(descriptor: int) -> bool:
    if not hasattr(select, "poll"):
        return bool(select.select([descriptor], [], [], 0)[0])
    poll = select.poll()  # needs no descriptor of its own, and takes any
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


class Manners(NamedTuple):
    """How to work with a connection. ``opening``: what each transaction begins with. ``prepares``: whether the server keeps
    prepared statements for us. ``is_pooled``: it hands us another session for each transaction, perhaps."""

    opening: tuple[str, ...]
    prepares: bool
    is_pooled: bool


OURS = Manners((BEGIN,), True, False)  # a session of our own


def connect(address: Address, patience: float) -> tuple[Connection, Manners]:
    """A new connection that commits each statement by itself unless told otherwise.

    Raises StoreUnavailableError.
    """
    try:
        try:
            connection = Connection.connect(autocommit=True, **address.connecting(patience, has_session=True))
        except psycopg.OperationalError as error:
            if not is_refused_by_pooler(error):
                raise
            connection = Connection.connect(autocommit=True, **address.connecting(patience, has_session=False))
        try:
            connection.deadline = time.monotonic() + patience + GRACE
            connection.prepared_max = 1000
            connection.adapters.register_dumper(int, numeric.Int8Dumper)  # else each size has a prepared statement of its own
            return connection, _manners_of(connection, patience)
        except BaseException:
            connection.close()
            raise
    except psycopg.Error as error:
        raise not_connected(error, address) from error


def _manners_of(connection: Connection, patience: float) -> Manners:
    """Find out whether this is a session of our own, or a pooler hands us another one for each transaction."""
    asked = "SELECT pg_backend_pid(), current_setting('synchronous_commit')"
    [(pid, synchronous)] = connection.execute(asked, prepare=False).fetchall()
    if pid == connection.info.backend_pid:
        if synchronous == "off":  # what was committed must survive a crash, whatever the default of the server
            connection.execute("SET synchronous_commit = on", prepare=False)
        return OURS
    connection.prepare_threshold = None
    milliseconds = max(1, math.ceil(patience * 1000))
    settings = [f"SET LOCAL statement_timeout = {milliseconds}", f"SET LOCAL lock_timeout = {milliseconds}"]
    if synchronous == "off":
        settings.append("SET LOCAL synchronous_commit = on")
    return Manners((BEGIN, *settings), False, True)


def is_refused_by_pooler(error: psycopg.OperationalError) -> bool:
    """PgBouncer takes no options of sessions, which it cannot keep."""
    return "unsupported startup parameter" in str(error)
