"""A SQLite connection of a store, used by one thread at a time: opening, migrating, transactions, errors."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from durable_import.errors import DurableError, StoreRefusedError, StoreUnavailableError
from durable_import.pythons.systems import SYNC_STOPS_AT_CACHE, is_writable
from durable_import.stores.bounds import HistoryBound
from durable_import.stores.files import make_folder, refused_by_system, text_of
from durable_import.stores.inline_commit_policy import InlineCommitPolicy
from durable_import.stores.sqlite.history import keep_history
from durable_import.stores.sqlite.schema import check_ours, migrate
from durable_import.stores.worker import Work

T = TypeVar("T")

MEMORY = ":memory:"

_REFUSALS = (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_CONSTRAINT)
_LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_NEARLY_NOTHING = 128 * 1024  # bytes; SQLite reports a full disk in several disguises
_DISGUISES = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
_LOG_PAGES = 1000  # written to the log before it is to be emptied: SQLite's own default
_PAGE = 4096  # bytes
_WRITES = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_SHMSIZE)

# Closing a connection whose file was replaced would delete the log of the file that stands there now.
_abandoned: list[sqlite3.Connection] = []


class Database:
    """``path`` is a file or ``:memory:``; ``synchronous`` FULL or NORMAL; ``patience`` seconds to wait for a lock.

    ``is_shared``: the file may have tables of another program. ``bound``: how much of the history is kept.
    ``inline_commits`` is told how long commits take.
    """

    def __init__(
        self,
        path: str,
        synchronous: str,
        patience: float,
        is_shared: bool,
        bound: HistoryBound | None,
        inline_commits: InlineCommitPolicy,
    ) -> None:
        self._is_shared = is_shared
        self._path = path
        self._synchronous = synchronous
        self._patience = patience
        self._bound = bound
        self._inline_commits = inline_commits
        self._is_hurried = False  # how the connection is set
        self._log_pages = 0  # that have been written at once, about
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None

    def run(self, jobs: Sequence[Work[sqlite3.Connection]]) -> None:
        """Do ``jobs`` in one transaction; if that fails, each in its own, so that a failure stays with its cause."""
        error = self._attempt(jobs)
        if error is None:
            return
        if len(jobs) == 1:
            jobs[0].fail(self.explain(error))
            return
        for job in jobs:
            if job.writes and _is_locked(error):
                job.fail(self.explain(error))  # do not be patient once for each
            else:
                self.run([job])

    def at_once(self, work: Callable[[sqlite3.Connection], bool], size: int) -> bool:
        """Let ``work`` commit about ``size`` bytes in this thread; gives whether it has.

        What goes wrong is found out, and said, by ``run``. An event loop waits: nothing here waits for a lock, and the log is
        left for ``run`` to empty.
        """
        connection = self._connection
        if connection is None or self._log_pages > _LOG_PAGES or self._is_out_of_reach():
            return False
        started = time.perf_counter()
        try:
            self._set_hurried(connection, True)
            is_done = work(connection)
        except sqlite3.Error:
            is_done = False
        finally:
            self._roll_back()  # nothing, if all went well
        if is_done:
            self._inline_commits.has_taken(time.perf_counter() - started)
            self._log_pages += 1 + size // _PAGE
        return is_done

    def _set_hurried(self, connection: sqlite3.Connection, is_hurried: bool) -> None:
        """Whether statements wait for locks, and commits empty the log now and then."""
        if is_hurried is not self._is_hurried:
            patience = 0 if is_hurried else int(self._statement_patience * 1000)
            connection.execute(f"PRAGMA busy_timeout = {patience}").fetchall()
            connection.execute(f"PRAGMA wal_autocheckpoint = {0 if is_hurried else _LOG_PAGES}").fetchall()
            self._is_hurried = is_hurried

    def begin(self) -> sqlite3.Connection:
        """The connection, in a transaction that may write; its caller ends that, and closes it."""
        connection = self._ready()
        self._patiently(lambda: connection.execute("BEGIN IMMEDIATE"))
        return connection

    def let_go(self) -> None:
        """Close the file before a fork; what is only in memory would be gone."""
        if self._path != MEMORY:
            self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._is_out_of_reach():
            _abandoned.append(connection)
        else:
            connection.close()

    def _attempt(self, jobs: Sequence[Work[sqlite3.Connection]]) -> Exception | None:
        """None when all jobs have their outcome and are committed, else what went wrong; nothing is committed then."""
        try:
            connection = self._ready()
            patience = jobs[0].patience if len(jobs) == 1 else None
            self._set_hurried(connection, patience is not None)
            writes = any(job.writes for job in jobs)
            started = time.perf_counter()
            self._patiently(lambda: connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN"), patience)
            for job in jobs:
                _do(job, connection)
            connection.execute("COMMIT")
            if writes:
                if self._log_pages <= _LOG_PAGES:  # else it has emptied the log
                    self._inline_commits.has_taken(time.perf_counter() - started)
                self._log_pages = 0
        except Exception as error:  # becomes the answer to the caller of each job
            self._roll_back()
            return error
        return None

    def _ready(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = self._patiently(self._open)
        if self._is_replaced():
            raise StoreUnavailableError(
                f"the database {self._path} was removed or replaced while it was in use. Put the file back and run "
                f"again; nothing is written to the file that stands there now."
            )
        return self._connection

    def _roll_back(self) -> None:
        if self._connection is None or not self._connection.in_transaction:
            return
        try:
            self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()  # a broken connection rolls back by closing

    def _patiently(self, step: Callable[[], T], patience: float | None = None) -> T:
        """Repeat ``step`` with growing pauses while another process holds a lock."""
        deadline = time.monotonic() + (self._patience if patience is None else patience)
        pause = 0.001
        while True:
            try:
                return step()
            except sqlite3.OperationalError as error:
                if not _is_locked(error) or time.monotonic() >= deadline:
                    raise
            time.sleep(pause)
            pause = min(pause * 2, 0.1)

    def _open(self) -> sqlite3.Connection:
        if self._path != MEMORY:
            make_folder(Path(self._path).parent)
        connection = sqlite3.connect(self._path, timeout=self._statement_patience, isolation_level=None, check_same_thread=False)
        self._is_hurried = False
        connection.text_factory = text_of
        try:
            check_ours(connection, self._path, self._is_shared)
            self._configure(connection)
            migrate(connection, self._path)
            if self._bound is not None:
                keep_history(connection, self._bound)
            self._inode = self._current_inode()
        except BaseException:
            connection.close()
            raise
        return connection

    @property
    def _statement_patience(self) -> float:
        """Commits wait in _patiently; SQLite's own patience covers what it locks inside a statement."""
        return min(self._patience, 1.0)

    def _configure(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA trusted_schema = OFF")
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal" and self._path != MEMORY:
            raise StoreUnavailableError(
                f"the file system of {self._path} does not allow SQLite's write-ahead log (journal mode is {mode!r}). "
                f"Choose a store on a local disk."
            )
        connection.execute(f"PRAGMA synchronous = {self._synchronous}")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        if SYNC_STOPS_AT_CACHE:
            connection.execute("PRAGMA fullfsync = ON")

    def _is_replaced(self) -> bool:
        return self._inode is not None and self._inode != self._current_inode()

    def _is_out_of_reach(self) -> bool:
        """The same, or it cannot even be asked for."""
        try:
            return self._is_replaced()
        except OSError:
            return True

    def _current_inode(self) -> tuple[int, int] | None:
        if self._path == MEMORY:
            return None
        try:
            found = os.stat(self._path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return found.st_dev, found.st_ino

    def explain(self, error: Exception) -> Exception:
        """StoreUnavailableError in words for what SQLite or the system refuses; anything else stays as it is."""
        if isinstance(error, OSError):
            explained: Exception = refused_by_system(Path(self._path), error)
        elif _is_refusal(error):
            explained = StoreRefusedError(
                f"the database {self._path} can never keep this: {error}. Keep large data elsewhere; if its tables were altered, "
                "put a backup back"
            )
        elif isinstance(error, sqlite3.DatabaseError) and hasattr(error, "sqlite_errorcode"):
            explained = StoreUnavailableError(
                f"the database {self._path} {self._reason(error)}; what was committed before is safe. "
                f"(SQLite: {error}, {error.sqlite_errorname})"
            )
        else:
            return error
        explained.__cause__ = error
        return explained

    def _reason(self, error: sqlite3.Error) -> str:
        code = error.sqlite_errorcode & 0xFF
        folder = os.path.dirname(self._path) or "."
        if code in _LOCKED:
            return f"was locked by another process for {self._patience:g} s. Stop that process or wait, then run again"
        if code == sqlite3.SQLITE_NOTADB:
            return "is not an SQLite database. Choose another file name; this file was left as it is"
        if code == sqlite3.SQLITE_CORRUPT:
            return "is damaged. Put a backup back; this file was left as it is"
        if code == sqlite3.SQLITE_FULL or (code in _DISGUISES and _is_nearly_full(folder)):
            return "cannot grow: the disk is full. Free some space and run again"
        if error.sqlite_errorcode in _WRITES:  # SQLite knows a full disk, but not a quota
            return "could not be written: a disk quota or file size limit is used up, or the device fails. Free some space"
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
            if os.path.isdir(self._path):
                return "is a folder. Choose a file name inside it"
            if not is_writable(folder):
                return f"cannot be written: its folder {folder} is not writable for this user. Change its permissions"
            return "cannot be written: the file is read-only for this user. Change its permissions"
        return "cannot be used. Repair what SQLite names and run again"


def _is_nearly_full(folder: str) -> bool:

    return os.path.isdir(folder) and shutil.disk_usage(folder).free < _NEARLY_NOTHING


def _is_refusal(error: Exception) -> bool:
    """Whether it is of no use to try again: a value does not fit, or a table or column is not there."""
    if isinstance(error, (OverflowError, sqlite3.DataError)):
        return True
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in _REFUSALS or (code == sqlite3.SQLITE_ERROR and "no such" in str(error))


def _is_locked(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) & 0xFF in _LOCKED


def _do(job: Work[sqlite3.Connection], connection: sqlite3.Connection) -> None:
    """Our own refusals come before the job wrote anything: they are its outcome, and the transaction goes on."""
    try:
        job.succeed(job.work(connection))
    except DurableError as refusal:
        job.fail(refusal)
