"""A pool of the application's that an instance is using when it is suspended."""

from __future__ import annotations

from types import ModuleType

import asyncpg
import pytest

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
