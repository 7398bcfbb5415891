"""What a store does in a PostgreSQL database, in its thread: works in rounds, of which each is one transaction and one trip.

A work is a generator: it gives the statements of its next round, and gets their cursors when that round is committed. So the
rounds of many works are sent together, by one pipeline. A round must be right by itself: what it read in an earlier one may have
changed since.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from durable_import.errors import StoreUnavailableError
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.columns import query
from durable_import.stores.postgres.driver import psycopg
from durable_import.stores.postgres.failures import explain, is_to_be_repeated, not_opened
from durable_import.stores.postgres.schema import check_encoding, migrate
from durable_import.stores.postgres.session import GRACE, OURS, Connection, Manners, Row, connect, is_to_be_replaced
from durable_import.stores.worker import Job

T = TypeVar("T")
Values = Mapping[str, Any]
Statement = tuple[str, Values]  # the name of a query, and its parameters
Cursor = psycopg.Cursor[Row]
Rounds = Generator[Sequence[Statement], list[Cursor], T]

ATTEMPTS = 10  # of a transaction that the server gives up in favour of another one


class Work(NamedTuple):
    """``key``: of the row that it locks; those of a transaction are locked in the order of their keys, as by everybody."""

    key: bytes
    rounds: Rounds[Any]


class Going:
    """A work on its way."""

    __slots__ = ("job", "key", "rounds", "statements")

    def __init__(self, job: Job[Any]) -> None:
        self.job = job
        work: Work = job.work(None)
        self.key, self.rounds = work
        self.statements: Sequence[Statement] = ()

    def goes_on(self, cursors: list[Cursor] | None) -> bool:
        """Let the work have its answers; gives whether there is another round."""
        try:
            self.statements = next(self.rounds) if cursors is None else self.rounds.send(cursors)
        except StopIteration as end:
            self.job.succeed(end.value)
            return False
        except Exception as error:  # a refusal, for who asked
            self.job.fail(error)
            return False
        return True


class PostgresEngine:
    """``patience``: seconds to wait for a connection, a lock or an answer. ``connects`` is called for each connection made."""

    def __init__(self, address: Address, patience: float, connects: Callable[[], None] = lambda: None) -> None:
        self._connects = connects
        self._address = address
        self._patience = patience
        self._connection: Connection | None = None
        self._manners = OURS

    def run(self, jobs: Sequence[Job[Any]]) -> None:
        """Do ``jobs``, each round of all in one transaction; if that fails, each in its own, so that a failure stays with its
        cause."""
        going = [each for each in map(Going, jobs) if each.goes_on(None)]
        while going:
            if len(going) > 1:
                going.sort(key=_key_of)
            going = self._round(going)

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _round(self, going: list[Going]) -> list[Going]:
        """Those that have another round."""
        answers, error = self._attempt(going)
        if error is None:
            return [each for each, cursors in zip(going, answers, strict=True) if each.goes_on(cursors)]
        left: list[Going] = []
        is_lost = len(going) == 1 or self._connection is None
        for position, each in enumerate(going):
            if not is_lost:
                answers, error = self._attempt([each])
            if error is None:
                left += [each] if each.goes_on(answers[0]) else []
                continue
            explained = explain(error, self._address)
            if is_lost or isinstance(explained, StoreUnavailableError):  # do not be patient once for each
                for other in going[position:]:
                    other.job.fail(explained)
                break
            each.job.fail(explained)
        return left

    def _attempt(self, going: Sequence[Going]) -> tuple[list[list[Cursor]], Exception | None]:
        """The answers, or what went wrong: nothing was committed then, or nobody knows."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))
            try:
                return self._send(going), None
            except Exception as error:  # becomes the answer to the caller of each job
                self._roll_back()
                if not is_to_be_repeated(error, attempt) or attempt == ATTEMPTS - 1:
                    return [], error
        raise AssertionError  # the last attempt gives an answer

    def _send(self, going: Sequence[Going]) -> list[list[Cursor]]:
        connection = self._ready()
        connection.deadline = time.monotonic() + self._patience + GRACE
        opening, prepares, is_pooled = self._manners
        if not is_pooled and len(going) == 1 and len(going[0].statements) == 1:
            return [self._execute(connection, going[0].statements, prepares)]
        with connection.pipeline():
            for text in opening:
                connection.execute(text, prepare=prepares)
            cursors = [self._execute(connection, each.statements, prepares) for each in going]
            # not the end of the pipeline: it would commit what was sent before a statement that cannot be sent at all
            connection.execute("COMMIT", prepare=prepares)
        return cursors

    def _execute(self, connection: Connection, statements: Sequence[Statement], prepares: bool) -> list[Cursor]:
        schema = self._address.schema
        return [connection.execute(query(name, schema), values, prepare=prepares, binary=True) for name, values in statements]

    def _ready(self) -> Connection:
        """The connection; one that was lost while nothing was done is replaced."""
        if self._connection is not None and is_to_be_replaced(self._connection):
            self.close()
        if self._connection is None:
            self._connection, self._manners = opened(self._address, self._patience)
            self._connects()
        return self._connection

    def _roll_back(self) -> None:
        """Leave nothing of a transaction, nor of statements that were to be prepared in it."""
        connection = self._connection
        if connection is None:
            return
        try:
            connection.deadline = time.monotonic() + GRACE
            if connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                connection.execute("BEGIN", prepare=False)  # psycopg needs one to forget what it was about to prepare
            connection.rollback()
        except psycopg.Error:
            self.close()  # the server rolls back what has no connection


def opened(address: Address, patience: float) -> tuple[Connection, Manners]:
    """A connection to tables that are ours and up to date. Raises StoreUnavailableError."""
    connection, manners = connect(address, patience)
    try:
        check_encoding(connection, address)
        connection.deadline = float("inf")  # to bring a large database up to date takes its time
        migrate(connection, address)
    except psycopg.Error as error:
        connection.close()
        raise not_opened(error, address) from error
    except BaseException:
        connection.close()
        raise
    return connection, manners


def _key_of(going: Going) -> bytes:
    return going.key
