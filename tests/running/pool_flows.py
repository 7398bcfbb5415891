# durable: on
"""A durable function that waits for an answer of a database, by the pool of the application."""

import asyncio
from typing import Any

POOLS: list[Any] = []
TEXT: list[Any] = []  # how a statement of SQLAlchemy is made
TAKEN: list[str] = []


async def answer() -> Any:
    return sum(await values())


async def values() -> Any:
    return await POOLS[-1].fetchval("SELECT array_agg(value) FROM answers, pg_sleep(delay)")


async def take(kind: str) -> None:
    """Take a connection out of the pool, without a block, and begin a transaction, or not."""
    pool = POOLS[0]
    if kind.startswith("asyncpg"):
        connection = await pool.acquire()
        begun = connection.transaction()
        if kind.endswith("transaction"):
            await begun.start()
    elif kind.startswith("psycopg"):
        connection = await pool.getconn()
        if kind.endswith("transaction"):
            await connection.execute("SELECT 1")
    else:
        connection = pool()
        await connection.execute(TEXT[0]("SELECT 1"))
    TAKEN.append(kind)
    await asyncio.sleep(3600)
    print(connection)
