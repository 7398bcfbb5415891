"""A pool of the application's that an instance is using when it is suspended."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from types import ModuleType
from typing import Any

import asyncpg
import psycopg_pool
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from durable_import import DurableRuntime
from durable_import.stores.memory import InMemoryStateStore
from tests.harness.imports import imported_rewritten
from tests.harness.postgres import PostgresServer
from tests.running.test_life import until


@pytest.fixture
def flows() -> ModuleType:
    """Functions that await the pool, rewritten."""
    return imported_rewritten("tests.running.pool_flows")


async def test_pool_of_one_has_its_connection_back(postgres_server: PostgresServer, flows: ModuleType) -> None:
    """Suspended in the middle of a query, an instance gives back the only connection, in order; on resume it asks again."""
    url = postgres_server.url().split("?")[0]
    pool = await asyncpg.create_pool(url, min_size=1, max_size=1)
    flows.POOLS.append(pool)
    try:
        await pool.execute("CREATE TEMPORARY TABLE answers AS SELECT 42 AS value, 3600 AS delay")
        store = InMemoryStateStore()
        async with DurableRuntime(store, key=bytes(32)) as runtime:
            await runtime.start(flows.answer, instance_id="i")
            await until(lambda: pool.get_idle_size() == 0)
        assert pool.get_idle_size() == 1
        await pool.execute("UPDATE answers SET delay = 0")
        async with DurableRuntime(store, key=bytes(32)) as runtime:
            assert await runtime.run(flows.answer, instance_id="i") == 42
    finally:
        flows.POOLS.clear()
        await pool.close()


async def _pool_of_one(kind: str, url: str, stack: contextlib.AsyncExitStack) -> Any:
    if kind.startswith("asyncpg"):
        return await stack.enter_async_context(asyncpg.create_pool(url, min_size=1, max_size=1))
    if kind.startswith("psycopg"):
        return await stack.enter_async_context(psycopg_pool.AsyncConnectionPool(url, min_size=1, max_size=1, open=False))
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://"), pool_size=1, max_overflow=0)
    stack.push_async_callback(engine.dispose)
    return async_sessionmaker(engine)


async def _ask(kind: str, pool: Any) -> None:
    if kind.startswith("asyncpg"):
        await pool.fetchval("SELECT 1")
    elif kind.startswith("psycopg"):
        async with pool.connection() as connection:
            await connection.execute("SELECT 1")
    else:
        async with pool() as session:
            await session.execute(text("SELECT 1"))


@pytest.mark.parametrize("kind", ["asyncpg", "asyncpg transaction", "psycopg", "psycopg transaction", "session"])
async def test_what_was_taken_without_a_block_is_given_back(
    postgres_server: PostgresServer, flows: ModuleType, kind: str
) -> None:
    """Suspended with the only connection in a variable, an instance gives it back, and no transaction is open on it."""
    async with contextlib.AsyncExitStack() as stack:
        pool = await _pool_of_one(kind, postgres_server.url().split("?")[0], stack)
        flows.POOLS[:], flows.TEXT[:], flows.TAKEN[:] = [pool], [text], []
        stack.callback(flows.POOLS.clear)
        async with DurableRuntime(InMemoryStateStore(), key=bytes(32)) as runtime:
            await runtime.start(flows.take, kind, instance_id="i")
            await until(lambda: bool(flows.TAKEN))
        gc.disable()  # which would give it back some time
        stack.callback(gc.enable)
        await asyncio.wait_for(_ask(kind, pool), 30)
    assert not postgres_server.execute("select pid from pg_stat_activity where state = 'idle in transaction'")
