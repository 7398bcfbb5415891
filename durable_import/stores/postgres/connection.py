"""The Postgres connection of one store, used by its worker thread only: opening, migrating, transactions, errors."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from durable_import.errors import DurableError, StoreError, StoreUnavailableError
from durable_import.stores import sql
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.driver import psycopg
from durable_import.stores.postgres.rows import Row
from durable_import.stores.postgres.watchdog import Watchdog
from durable_import.stores.worker import Job

Connection = psycopg.Connection[tuple[Any, ...]]

BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
COMMITTED = "SELECT set_config('default_transaction_isolation', 'read committed', false)"  # of single statements, likewise
# what was committed must survive a crash, whatever the default of the server
SAFELY = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
ATTEMPTS = 10  # of a transaction that the server gives up in favour of another one

GRACE = 5.0  # seconds beyond its own timeout that the server gets to answer
_GIVEN_UP = ("40001", "40P01")  # serialization failure, deadlock
FORMAT = "durable_import_format"  # the table that tells that a schema is ours
_TABLES = ("instance", "claim", "segment", "event", "change", "source")
_MIGRATING = 0x44555242  # of our own among the advisory locks

# SQLSTATE, or its class, and what to do
_REASONS = {
    "25006": "is read-only: a standby, or a server that refuses writes. Connect to the primary",
    "3F000": "has lost the store's tables while it was in use. Restore them from a backup",
    "42501": "refuses this user what the store needs: to create its schema (grant CREATE on the database, or create the "
    "schema and make the user its owner), or to write its tables",
    "42P01": "has lost the store's tables while it was in use. Restore them from a backup",
    "40": "has given this transaction up in favour of another one. Run it again",
    "53100": "cannot write: its disk is full. Free some space and run again",
    "53200": "is out of memory. Free some and run again",
    "53300": "has too many connections. Close some, or raise max_connections",
    "55P03": "was locked by another transaction for too long. End that transaction, then run again",
    "57014": "did not finish within its time limit. Is it overloaded, or does another transaction hold a lock?",
    "57": "is shutting down, starting up, or has ended this connection. Run again when it is up",
    "58": "has trouble with its files. See the server's log",
    "XX": "reports damaged data or an internal error. See the server's log",
}  # fmt: skip


class Session:
    """The connection inside a transaction. ``announces``: set when others are to be told once it is committed."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self.connection = connection
        self.schema = schema
        self.announces = False

    def all(self, name: str, row: Row | None = None) -> list[tuple[Any, ...]]:
        """What the query ``name`` gives."""
        return self.connection.execute(query(name, self.schema), row, binary=True).fetchall()

    def do(self, name: str, row: Row | None = None) -> int:
        """Execute the statement ``name``; gives the number of rows that it has changed."""
        return self.connection.execute(query(name, self.schema), row).rowcount


@dataclass(frozen=True)
class OneStatement:
    """Work that executes one statement, which does no harm if it is executed twice: alone it needs no transaction around it."""

    work: Callable[[Session], Any]

    def __call__(self, session: Session) -> Any:
        return self.work(session)


class PostgresEngine:
    """``patience``: seconds to wait for a connection, a lock or an answer. ``channel``: where changes are announced."""

    def __init__(self, address: Address, patience: float, channel: str) -> None:
        self._address = address
        self._patience = patience
        self._channel = channel
        self._connection: Connection | None = None
        self._socket: socket.socket | None = None
        # for a server that does not answer at all, not even to its own timeout
        self._watchdog = Watchdog(patience + GRACE, self._cut)

    def run(self, jobs: Sequence[Job[Session]]) -> None:
        """Do ``jobs`` in one transaction; if that fails, each in its own, so that a failure stays with its cause."""
        error = self._attempt(jobs)
        if error is None:
            return
        if len(jobs) == 1 or self._connection is None:
            _fail(jobs, self._explain(error))
            return
        for position, job in enumerate(jobs):
            error = self._attempt([job])
            if error is None:
                continue
            explained = self._explain(error)
            if isinstance(explained, StoreUnavailableError):  # do not be patient once for each
                _fail(jobs[position:], explained)
                return
            job.fail(explained)

    def close(self) -> None:
        self._watchdog.stop()
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        connected, self._socket = self._socket, None
        if connected is not None:
            connected.close()
        if connection is not None:
            connection.close()

    def _attempt(self, jobs: Sequence[Job[Session]]) -> Exception | None:
        """None when all jobs have their outcome and are committed, else what went wrong; nothing is committed then."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))
            try:
                self._transact(jobs)
            except Exception as error:  # becomes the answer to the caller of each job
                self._roll_back()
                if not isinstance(error, psycopg.Error) or error.sqlstate not in _GIVEN_UP:
                    return error
                last = error
            else:
                return None
        return last

    def _transact(self, jobs: Sequence[Job[Session]]) -> None:
        if len(jobs) == 1 and isinstance(jobs[0].work, OneStatement) and self._is_done_alone(jobs[0]):
            return
        connection = self._begin()
        with self._watchdog.watching():
            session = Session(connection, self._address.schema)
            for job in jobs:
                _do(job, session)
            if session.announces:
                announce(session, self._channel)
            connection.execute("COMMIT")

    def _is_done_alone(self, job: Job[Session]) -> bool:
        """Do a job without a transaction; False: the connection is not there, or was lost."""
        connection = self._connection
        if connection is None:
            return False
        try:
            with self._watchdog.watching():
                _do(job, Session(connection, self._address.schema))
        except psycopg.OperationalError:
            if not connection.broken:
                raise
            self._disconnect()
            return False
        return True

    def _begin(self) -> Connection:
        """A connection in a transaction; one that was lost while nothing was done is replaced."""
        if self._connection is not None:
            try:
                with self._watchdog.watching():
                    self._connection.execute(BEGIN)
                return self._connection
            except psycopg.OperationalError:
                self._disconnect()
        with self._watchdog.watching():
            connection = self._open()
            connection.execute(BEGIN)
        return connection

    def _open(self) -> Connection:
        connection = self._connection = connect(self._address, self._patience)
        self._socket = socket.socket(fileno=socket.dup(connection.fileno()))
        try:
            prepare(connection, self._address)
            connection.execute(COMMITTED)
        except BaseException:
            self._disconnect()
            raise
        return connection

    def _roll_back(self) -> None:
        if self._connection is None:
            return
        try:
            with self._watchdog.watching():
                self._connection.execute("ROLLBACK")
        except psycopg.Error:
            self._disconnect()  # the server rolls back what has no connection

    def _cut(self) -> None:
        connected = self._socket
        if connected is not None:
            with suppress(OSError):  # it is gone already
                connected.shutdown(socket.SHUT_RDWR)

    def _explain(self, error: Exception) -> Exception:
        return explain(error, self._address)


def connect(address: Address, patience: float) -> Connection:
    """A new connection that commits each statement by itself unless told otherwise.

    Raises StoreUnavailableError.
    """
    try:
        return psycopg.connect(autocommit=True, **address.connecting(patience))
    except psycopg.Error as error:
        raise not_connected(error, address) from error


def not_connected(error: psycopg.Error, address: Address) -> StoreUnavailableError:
    """The error for a connection that was not made; its SQLSTATE is not known."""
    return StoreUnavailableError(
        f"the database ({address}) cannot be connected to; what was committed before is safe. Start the server, or "
        f"correct the URL or the password, and run again. (PostgreSQL: {_said(error)})"
    )


def prepare(connection: Connection, address: Address) -> None:
    """Refuse what is not ours, and bring the tables up to date."""
    [(encoding,)] = connection.execute("SELECT current_setting('server_encoding')").fetchall()
    if encoding not in ("UTF8", "SQL_ASCII"):
        raise StoreUnavailableError(
            f"the database ({address}) has the encoding {encoding}, which cannot hold every text. Create one with: "
            f"CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
        )
    connection.execute(SAFELY)
    migrate(connection, address)


def migrate(connection: Connection, address: Address) -> None:
    """Make the tables, or bring those of an earlier release up to date. Raises StoreUnavailableError if they are not ours."""
    schema, scripts = address.schema, sql.migrations("postgres")
    latest = scripts[-1][0]
    if _version(connection, address) < latest:
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_MIGRATING])
            before = _version(connection, address)  # another process may have been first
            if not connection.execute("SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s", [schema]).fetchall():
                connection.execute(f'CREATE SCHEMA "{schema}"')
            for number, script in scripts:
                if number > before:
                    connection.execute(_in_schema(script, schema))
            if before < latest:
                connection.execute(f'DELETE FROM "{schema}".{FORMAT}')
                connection.execute(f'INSERT INTO "{schema}".{FORMAT} VALUES (%s)', [latest])
    found = _version(connection, address)
    if found > latest:
        raise StoreUnavailableError(
            f"the database ({address}) has format {found}, this durable_import knows up to {latest}. Use the newer "
            f"durable_import that wrote it; nothing was changed."
        )


def _version(connection: Connection, address: Address) -> int:
    schema = address.schema
    # not to_regclass: in a transaction it may answer from a cache that is older than the lock
    found = connection.execute(
        "SELECT relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON relnamespace = pg_namespace.oid "
        "WHERE nspname = %s AND relname = ANY(%s)",
        [schema, [FORMAT, *_TABLES]],
    )
    tables = sorted(table for (table,) in found)
    if FORMAT in tables:
        [(version,)] = connection.execute(f'SELECT max(version) FROM "{schema}".{FORMAT}').fetchall()
        return int(version)
    if tables:
        raise StoreUnavailableError(
            f"the schema {schema} of the database ({address}) belongs to another program: it has the tables "
            f"{', '.join(tables)}, which are not ours. Choose another one with ?schema=NAME; nothing was changed."
        )
    return 0


@cache
def query(name: str, schema: str) -> str:
    """The statement ``name`` of ``queries.sql`` over the tables of ``schema``."""
    queries = sql.queries("postgres")
    return _in_schema(queries[name].replace("{commit}", queries["commit"]), schema)


def _in_schema(text: str, schema: str) -> str:
    return text.replace("SCHEMA.", f'"{schema}".')


def announce(session: Session, channel: str) -> None:
    """Tell others of a change: last in a transaction, since all wait for this row."""
    session.do("announce")
    session.do("notify", {"channel": channel})


def explain(error: Exception, address: Address) -> Exception:
    """StoreUnavailableError in words for what the server or the network refuses; anything else stays as it is."""
    if not isinstance(error, psycopg.Error):
        return error
    state = error.sqlstate or ""
    said = _said(error)
    if state[:2] in ("22", "54"):  # what was to be written is at fault: it would be refused again
        explained: StoreError = StoreError(f"the database ({address}) refuses the data: {said} (SQLSTATE {state})")
    else:
        reason = _REASONS.get(state) or _REASONS.get(state[:2])
        if reason is None and isinstance(error, psycopg.OperationalError):
            reason = (
                "has been lost: the connection broke. Run again when it is back; a commit that was under way may have "
                "happened, and to do it once more does no harm"
            )
        elif reason is None:
            reason = "cannot be used. Repair what PostgreSQL names and run again"
        said = f"PostgreSQL: {said}, SQLSTATE {state}" if state else f"PostgreSQL: {said}"
        explained = StoreUnavailableError(f"the database ({address}) {reason}; what was committed before is safe. ({said})")
    explained.__cause__ = error
    return explained


def _said(error: psycopg.Error) -> str:
    return " ".join(str(error).split())


def _do(job: Job[Session], session: Session) -> None:
    """Our own refusals come before the job wrote anything: they are its outcome, and the transaction goes on."""
    try:
        job.succeed(job.work(session))
    except DurableError as refusal:
        job.fail(refusal)


def _fail(jobs: Sequence[Job[Session]], error: Exception) -> None:
    for job in jobs:
        job.fail(error)
