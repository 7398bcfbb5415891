"""A transaction of the user in a SQLite store's database, on a connection and in a thread of its own."""

from __future__ import annotations

import asyncio
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from durable_import.errors import StoreError, StoreUnavailableError
from durable_import.stores.sqlite.connection import Database
from durable_import.stores.state import Claim, InstanceState
from durable_import.stores.store import Segments
from durable_import.stores.worker import Work, Worker

Commit = Callable[[Claim, InstanceState, Segments | None, bool], Callable[[sqlite3.Connection], None]]

MARK = "durable_import"  # a savepoint: it is gone if somebody has ended the transaction
_AWAY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED)
ENDED = (
    "the transaction has ended before its state was committed: leave COMMIT, ROLLBACK, commit(), rollback(), close() and "
    "executescript() to the one who opened it"
)


class Turns:
    """Whose turn it is of those in an event loop: only one of them can have the database's lock, and many that ask for it again
    and again would leave little to other processes."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._locks = weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock]()

    async def take(self) -> asyncio.Lock:
        """In the order of asking; release what it gives. Raises StoreUnavailableError."""
        lock = self._locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"another transaction of this process has been open for {self._patience:g} s: keep transactions short"
            ) from error
        return lock


class SQLiteTransaction:
    """See ``store.OpenTransaction``. ``begin`` makes one. ``commit`` gives what commits a state, by a connection."""

    keeps_lease = True  # it has the only lock for those who write

    def __init__(self, worker: Worker[Database], connection: sqlite3.Connection, commit: Commit, turn: asyncio.Lock) -> None:
        self.connection = connection
        self._worker = worker
        self._commit = commit
        loop = asyncio.get_running_loop()
        self._end_turn = weakref.finalize(self, _release, turn, loop)  # also if nobody has it, and it was never ended
        self._end_turn.atexit = False

    @classmethod
    async def begin(cls, open_database: Callable[[], Database], commit: Commit, turns: Turns) -> SQLiteTransaction:
        """Waits until no other transaction is open."""
        turn = await turns.take()
        # the store's own thread waits for the end of this transaction if it has something to commit
        worker = Worker(lambda: _Engine(open_database()), "durable_import transaction")
        try:
            connection = await worker.call(_begin)
        except BaseException:
            try:
                await worker.close()
            finally:
                turn.release()
            raise
        return cls(worker, connection, commit, turn)

    async def commit(self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True) -> None:
        """See ``store.OpenTransaction``."""
        work = self._commit(claim, state, segments, is_whole)
        try:
            await self._worker.call(partial(_commit, self.connection, work))
        finally:
            await self._end()

    def lost(self, error: BaseException) -> StoreUnavailableError | None:
        """See ``store.OpenTransaction``."""
        if self.connection.in_transaction:  # then it is some other database that the error tells of
            return None
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, sqlite3.OperationalError) and getattr(cause, "sqlite_errorcode", 0) & 0xFF in _AWAY:
                return StoreUnavailableError(f"a transaction was undone: {cause} ({cause.sqlite_errorname})")
            cause = cause.__cause__ or cause.__context__
        return None

    async def rollback(self) -> None:
        """See ``store.OpenTransaction``."""
        try:
            await self._worker.call(Database.close)  # which rolls back
        finally:
            await self._end()

    async def _end(self) -> None:
        self._end_turn()
        await self._worker.close()


def _release(turn: asyncio.Lock, loop: asyncio.AbstractEventLoop) -> None:
    """In any thread."""
    with suppress(RuntimeError):  # nobody waits in a closed loop
        loop.call_soon_threadsafe(turn.release)


class _Engine:
    """Does one thing after another with a database; explains what goes wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def run(self, jobs: Sequence[Work[Database]]) -> None:
        for job in jobs:
            try:
                job.succeed(job.work(self._database))
            except Exception as error:  # the answer to the caller of this job
                job.fail(self._database.explain(error))

    def close(self) -> None:
        self._database.close()


def _begin(database: Database) -> sqlite3.Connection:
    connection = database.begin()
    connection.execute(f"SAVEPOINT {MARK}")
    return connection


def _commit(connection: sqlite3.Connection, work: Callable[[sqlite3.Connection], None], database: Database) -> None:
    try:
        try:
            connection.execute(f"RELEASE {MARK}")
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) != sqlite3.SQLITE_ERROR:  # not that there is no savepoint
                raise
            raise StoreError(ENDED) from error
        work(connection)
        connection.execute("COMMIT")
    finally:
        database.close()  # which rolls back what was not committed
