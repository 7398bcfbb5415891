"""A transaction of the user in a Postgres store's database, on a connection of the running event loop."""

from __future__ import annotations

import asyncio
import contextvars
import math
import weakref
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from durable_import.errors import FencedError, StoreError, StoreUnavailableError
from durable_import.log import logger
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.columns import query
from durable_import.stores.postgres.driver import pool_class, psycopg
from durable_import.stores.postgres.failures import explain, not_connected
from durable_import.stores.postgres.session import GRACE, is_refused_by_pooler, is_to_be_replaced
from durable_import.stores.state import Claim, InstanceState, fenced, state_lost
from durable_import.stores.store import Segments

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Statements = Callable[[Claim, InstanceState, Segments | None, bool], list[tuple[str, Mapping[str, Any]]]]

MARK = "durable_import"  # a savepoint: it is gone if somebody has ended the transaction
ENDED = (
    "the transaction has ended before its state was committed: leave COMMIT, ROLLBACK, commit(), rollback() and close() "
    "to the one who opened it"
)
FAILED = (
    "a statement of the transaction has failed before, so PostgreSQL commits nothing of it. Put `async with "
    "connection.transaction()` around statements that may fail"
)
SETTINGS = (  # what was committed must survive a crash, whatever the default of the server
    "SELECT pg_backend_pid(), set_config('statement_timeout', %s, true), set_config('lock_timeout', %s, true), "
    "CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END"
)
MOST = 10  # connections for each event loop; who wants one more waits
IDLE_FOR = 60.0  # seconds until a connection that nobody wants is closed


class Pools:
    """psycopg_pool's pools of a process, one for each event loop: made when they are first needed."""

    def __init__(self, address: Address, patience: float) -> None:
        self.address = address
        self.patience = patience
        self._pools: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[Any, asyncio.Task[None]]]
        self._pools = weakref.WeakKeyDictionary()

    async def borrow(self) -> tuple[Any, Connection]:
        """The running loop's pool, and a connection of it. Raises StoreUnavailableError and MissingDriverError."""
        loop = asyncio.get_running_loop()
        if loop not in self._pools:
            pool = self._made()
            # its tasks are none of the instance that is the first to need it
            self._pools[loop] = pool, loop.create_task(pool.open(), context=contextvars.Context())
        pool, opening = self._pools[loop]
        await asyncio.shield(opening)
        while True:
            try:
                connection = await pool.getconn()
            except psycopg.Error as error:
                raise not_connected(error, self.address) from error
            if not is_to_be_replaced(connection):
                return pool, connection
            await connection.close()
            await pool.putconn(connection)

    async def close(self) -> None:
        """Close the running loop's."""
        pool, opening = self._pools.pop(asyncio.get_running_loop(), (None, None))
        if pool is not None and opening is not None:
            await opening
            await pool.close()

    def _made(self) -> Any:
        def options(*, has_session: bool) -> dict[str, Any]:
            return self.address.connecting(self.patience, has_session=has_session)

        class Pooled(psycopg.AsyncConnection[tuple[Any, ...]]):
            """One that a pooler of transactions takes too."""

            @classmethod
            async def connect(cls, conninfo: str = "", **keywords: Any) -> Any:
                try:
                    try:
                        return await super().connect(conninfo, **keywords)
                    except psycopg.OperationalError as error:
                        if not is_refused_by_pooler(error):
                            raise
                    return await super().connect(conninfo, **{**keywords, **options(has_session=False)})
                except asyncio.CancelledError:
                    task = asyncio.current_task()
                    if task is not None:
                        task.cancel()  # once more: the pool takes one for a server that is away, and its task goes on for ever
                    raise

        pool = pool_class()
        return pool(
            connection_class=Pooled, kwargs={"autocommit": True, **options(has_session=True)}, min_size=0, max_size=MOST,
            timeout=self.patience, max_idle=IDLE_FOR, open=False, name="durable_import transactions",
        )  # fmt: skip


class PostgresTransaction:
    """See ``store.OpenTransaction``. ``begin`` makes one.

    ``connection`` is the user's for the time of the transaction: another object than the one in the pool, with the same
    connection to the server, which it loses at the end. So whoever keeps it can do no harm with it.
    """

    keeps_lease = False

    def __init__(self, pools: Pools, pool: Any, pooled: Connection, statements: Statements) -> None:
        self.connection = Connection(pooled.pgconn)
        self._pools = pools
        self._pool = pool
        self._pooled: Connection | None = pooled
        self._statements = statements
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def begin(cls, pools: Pools, statements: Statements) -> PostgresTransaction:
        """``statements``: of a commit. Raises StoreUnavailableError and MissingDriverError."""
        pool, pooled = await pools.borrow()
        begun = cls(pools, pool, pooled, statements)
        try:
            async with begun._explained():
                await begun._begin()
        except BaseException:
            await begun._give_back(is_clean=False)
            raise
        return begun

    async def _begin(self) -> None:
        connection = self.connection
        await connection.set_autocommit(True)  # the transaction is begun here
        milliseconds = str(max(1, math.ceil(self._pools.patience * 1000)))
        async with connection.pipeline():
            await connection.execute("BEGIN", prepare=False)
            settings = await connection.execute(SETTINGS, [milliseconds, milliseconds], prepare=False)
            await connection.execute(f"SAVEPOINT {MARK}", prepare=False)
        [(pid, *_)] = await settings.fetchall()
        if pid != connection.info.backend_pid:  # a pooler hands us another session the next time
            connection.prepare_threshold = None

    async def commit(self, claim: Claim, state: InstanceState, segments: Segments | None = None, is_whole: bool = True) -> None:
        """See ``store.OpenTransaction``."""
        if self._pooled is None:
            raise StoreError(ENDED)
        statements = self._statements(claim, state, segments, is_whole)
        self._ending = asyncio.get_running_loop().create_task(self._commit(claim, statements), context=contextvars.Context())
        await asyncio.shield(self._ending)

    def lost(self, error: BaseException) -> StoreUnavailableError | None:
        """See ``store.OpenTransaction``."""
        if self._pooled is None or not self.connection.broken:
            return None
        return StoreUnavailableError(f"the connection of a transaction was lost: {error}")

    async def rollback(self) -> None:
        """See ``store.OpenTransaction``."""
        if self._pooled is None:
            return
        is_clean = False
        try:
            async with asyncio.timeout(GRACE):
                await self.connection.rollback()
            is_clean = True
        except (psycopg.Error, TimeoutError) as error:  # the server rolls back what has no connection
            logger.debug("a transaction was not rolled back in order: %s", error)
        finally:
            await self._give_back(is_clean=is_clean)

    async def _commit(self, claim: Claim, statements: list[tuple[str, Mapping[str, Any]]]) -> None:
        is_clean = False
        try:
            async with self._explained():
                await self._release_mark()
                for number, (name, row) in enumerate(statements):
                    if await self._do(name, row) == 0 and number == 0:
                        raise await self._why_refused(claim, row)
                await self.connection.execute("COMMIT", prepare=False)
            is_clean = True
        finally:
            await self._give_back(is_clean=is_clean)

    async def _give_back(self, *, is_clean: bool) -> None:
        """Let the pool have the connection, or, if its transaction may be open, an end of it."""
        pooled, self._pooled = self._pooled, None
        if pooled is None:
            return
        self.connection.pgconn = _closed()
        try:
            if is_clean and not pooled.closed:  # nothing is left of who had it: settings, prepared statements, temporary tables
                async with asyncio.timeout(GRACE):
                    await pooled.execute("DISCARD ALL")
            else:
                await pooled.close()
        except (psycopg.Error, TimeoutError) as error:
            logger.debug("a connection of a transaction is not used again: %s", error)
            await pooled.close()
        finally:
            try:
                await self._pool.putconn(pooled)
            except ValueError as error:  # the pool has let go of it: why the transaction has ended is what counts
                logger.debug("a connection of a transaction is not its pool's any more: %s", error)

    async def _release_mark(self) -> None:
        try:
            await self.connection.execute(f"RELEASE {MARK}", prepare=False)
        except (psycopg.errors.InvalidSavepointSpecification, psycopg.errors.NoActiveSqlTransaction) as error:
            raise StoreError(ENDED) from error
        except psycopg.errors.InFailedSqlTransaction as error:
            raise StoreError(FAILED) from error
        except psycopg.OperationalError as error:
            if self.connection.closed and not self.connection.broken:
                raise StoreError(ENDED) from error
            raise

    async def _why_refused(self, claim: Claim, row: Mapping[str, Any]) -> FencedError:
        text = query("current", self._pools.address.schema)
        found = await (await self.connection.execute(text, row, prepare=False)).fetchall()
        if found:
            return state_lost(claim.instance_id, row["before"], found[0][0])
        return fenced(claim.instance_id, claim.epoch)

    async def _do(self, name: str, row: Mapping[str, Any]) -> int:
        text = query(name, self._pools.address.schema)
        return (await self.connection.execute(text, row, prepare=False)).rowcount

    @asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        """Errors of the server in words; no answer at all is one too."""
        seconds = self._pools.patience + GRACE
        try:
            async with asyncio.timeout(seconds):
                yield
        except psycopg.Error as error:
            raise explain(error, self._pools.address) from error
        except TimeoutError as error:
            raise StoreUnavailableError(
                f"the database ({self._pools.address}) has not answered for {seconds:g} s. Run again when it does; what was "
                f"committed before is safe."
            ) from error


def _closed() -> Any:
    """A connection to nowhere."""
    closed = psycopg.pq.PGconn.connect_start(b"")
    closed.finish()
    return closed
