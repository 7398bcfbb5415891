"""A transaction of the user in a Postgres store's database, on a connection of the running event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from durable_import.errors import StoreError, StoreUnavailableError
from durable_import.stores.base import ANNOUNCED, Claim, check_state, fenced
from durable_import.stores.changes import Bell
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.connection import GRACE, SAFELY, explain, not_connected, query
from durable_import.stores.postgres.driver import psycopg
from durable_import.stores.postgres.rows import Row, commit_statements

MARK = "durable_import"  # a savepoint: it is gone if somebody has ended the transaction
ENDED = (
    "the transaction has ended before its state was committed: leave COMMIT, ROLLBACK, commit(), rollback() and close() "
    "to the one who opened it"
)
FAILED = (
    "a statement of the transaction has failed before, so PostgreSQL commits nothing of it. Put `async with "
    "connection.transaction()` around statements that may fail"
)
Connection = psycopg.AsyncConnection[tuple[Any, ...]]


class PostgresTransaction:
    """See ``base.Transaction``. ``begin`` makes one."""

    def __init__(self, connection: Connection, address: Address, patience: float, channel: str, bell: Bell) -> None:
        self.connection = connection
        self._address = address
        self._patience = patience
        self._channel = channel
        self._bell = bell
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def begin(cls, address: Address, patience: float, channel: str, bell: Bell) -> PostgresTransaction:
        """Raises StoreUnavailableError."""
        try:
            connection = await psycopg.AsyncConnection.connect(autocommit=True, **address.connecting(patience))
        except psycopg.Error as error:
            raise not_connected(error, address) from error
        begun = cls(connection, address, patience, channel, bell)
        try:
            async with begun._explained():
                for statement in (SAFELY, "BEGIN", f"SAVEPOINT {MARK}"):
                    await connection.execute(statement)
        except BaseException:
            await connection.close()
            raise
        return begun

    async def commit(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None] | None = None, is_whole: bool = True
    ) -> None:
        """See ``base.Transaction``."""
        check_state(state)
        work = self._commit(claim, dict(state), dict(segments or {}), is_whole)
        self._ending = asyncio.get_running_loop().create_task(work)
        await asyncio.shield(self._ending)

    async def rollback(self) -> None:
        """See ``base.Transaction``."""
        await self.connection.close()  # the server rolls back what has no connection

    async def _commit(self, claim: Claim, state: dict[str, Any], segments: dict[str, bytes | None], is_whole: bool) -> None:
        try:
            async with self._explained():
                await self._release_mark()
                for number, (name, row) in enumerate(commit_statements(claim, state, segments, is_whole)):
                    if await self._do(name, row) == 0 and number == 0:
                        raise fenced(claim)
                if state["status"] in ANNOUNCED:
                    await self._do("announce", {})
                    await self._do("notify", {"channel": self._channel})
                await self.connection.execute("COMMIT")
        finally:
            await self.connection.close()
            self._bell.ring()

    async def _release_mark(self) -> None:
        try:
            await self.connection.execute(f"RELEASE {MARK}")
        except (psycopg.errors.InvalidSavepointSpecification, psycopg.errors.NoActiveSqlTransaction) as error:
            raise StoreError(ENDED) from error
        except psycopg.errors.InFailedSqlTransaction as error:
            raise StoreError(FAILED) from error
        except psycopg.OperationalError as error:
            if self.connection.closed and not self.connection.broken:
                raise StoreError(ENDED) from error
            raise

    async def _do(self, name: str, row: Row) -> int:
        return (await self.connection.execute(query(name, self._address.schema), row)).rowcount

    @asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        """Errors of the server in words; no answer at all is one too."""
        seconds = self._patience + GRACE
        try:
            async with asyncio.timeout(seconds):
                yield
        except psycopg.Error as error:
            raise explain(error, self._address) from error
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"the database ({self._address}) has not answered for {seconds:g} s. Run again when it does; what was "
                f"committed before is safe."
            ) from error
