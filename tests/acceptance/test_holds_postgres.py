"""Transactions of PostgreSQL around kills: whatever commits at its end is done as a whole, with both drivers and their pools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.harness.postgres import PostgresServer

ASYNCPG = """
    # durable: on
    import asyncio, os
    import asyncpg
    from world import effect

    TABLE = os.environ["NAME"]

    async def main():
        db = await asyncpg.connect(os.environ["DSN"])
        await db.execute(f"create table {TABLE} (n int)")
        for first in (1, 4):
            await effect(f"before {first}")
            async with db.transaction():
                await db.execute(f"insert into {TABLE} values ({first})")
                await effect(f"inside {first}")
                await db.execute(f"insert into {TABLE} values ({first + 1})")
                await effect(f"inside {first + 1}")
                await db.execute(f"insert into {TABLE} values ({first + 2})")
            await effect(f"after {first}")
        rows = [row["n"] for row in await db.fetch(f"select n from {TABLE} order by n")]
        await db.close()
        return rows

    print(asyncio.run(main()))
"""

ASYNCPG_POOL = """
    # durable: on
    import asyncio, os
    import asyncpg
    from world import effect

    TABLE = os.environ["NAME"]

    async def add(pool, first):
        async with pool.acquire() as db, db.transaction():
            await db.execute(f"insert into {TABLE} values ({first})")
            await effect(f"inside {first}")
            await db.execute(f"insert into {TABLE} values ({first + 1})")
            await effect(f"inside {first + 1}")
        await effect(f"after {first}")

    async def main():
        async with asyncpg.create_pool(os.environ["DSN"], min_size=1, max_size=2) as pool:
            await pool.execute(f"create table {TABLE} (n int)")
            await effect("made")
            for first in (1, 3):
                await add(pool, first)
            async with pool.acquire() as db:
                return [n for (n,) in await db.fetch(f"select n from {TABLE} order by n")]

    print(asyncio.run(main()))
"""

PSYCOPG = """
    # durable: on
    import asyncio, os
    import psycopg
    from world import effect

    TABLE = os.environ["NAME"]

    async def main():
        async with await psycopg.AsyncConnection.connect(os.environ["DSN"], autocommit=True) as db:
            await db.execute(f"create table {TABLE} (n int)")
            for first in (1, 4):
                await effect(f"before {first}")
                async with db.transaction():
                    await db.execute(f"insert into {TABLE} values ({first})")
                    await effect(f"inside {first}")
                    async with db.transaction():
                        await db.execute(f"insert into {TABLE} values ({first + 1})")
                        await effect(f"inside {first + 1}")
                    await db.execute(f"insert into {TABLE} values ({first + 2})")
                await effect(f"after {first}")
            async with db.cursor() as cursor:
                await cursor.execute(f"select n from {TABLE} order by n")
                return [n for (n,) in await cursor.fetchall()]

    print(asyncio.run(main()))
"""

PSYCOPG_IMPLICIT = """
    # durable: on
    import asyncio, os
    import psycopg
    from world import effect

    TABLE = os.environ["NAME"]

    async def main():
        db = await psycopg.AsyncConnection.connect(os.environ["DSN"])
        await db.execute(f"create table {TABLE} (n int)")
        await db.commit()
        for first in (1, 3):
            await effect(f"before {first}")
            await db.execute(f"insert into {TABLE} values ({first})")
            await effect(f"inside {first}")
            await db.execute(f"insert into {TABLE} values ({first + 1})")
            await db.commit()
            await effect(f"after {first}")
        cursor = await db.execute(f"select n from {TABLE} order by n")
        rows = [n for (n,) in await cursor.fetchall()]
        await db.close()
        return rows

    print(asyncio.run(main()))
"""


ASYNCPG_CURSOR = """
    # durable: on
    import asyncio, os
    import asyncpg
    from world import effect

    TABLE = os.environ["NAME"]

    async def main():
        db = await asyncpg.connect(os.environ["DSN"])
        await db.execute(f"create table {TABLE} (n int)")
        await db.executemany(f"insert into {TABLE} values ($1)", [(n,) for n in range(3)])
        await effect("filled")
        got = []
        async with db.transaction():
            async for record in db.cursor(f"select n from {TABLE} order by n"):
                got.append(record["n"])
                await effect(f"row {record['n']}")
        await effect("read")
        records = await db.fetch(f"select n from {TABLE} order by n")
        await effect("records kept")
        statement = await db.prepare(f"select count(*) from {TABLE}")
        await effect("prepared")
        got.append(await statement.fetchval())
        tx = db.transaction()
        await tx.start()
        await db.execute(f"insert into {TABLE} values (10)")
        await effect("in tx")
        await db.execute(f"insert into {TABLE} values (11)")
        await tx.commit()
        await effect("committed")
        got += [r["n"] for r in records]
        got.append(await db.fetchval(f"select count(*) from {TABLE}"))
        await db.close()
        return got

    print(asyncio.run(main()))
"""

PSYCOPG_POOL = """
    # durable: on
    import asyncio, os
    from psycopg_pool import AsyncConnectionPool
    from psycopg.rows import dict_row
    from world import effect

    TABLE = os.environ["NAME"]

    async def add(pool, n):
        async with pool.connection() as db:
            await db.execute(f"insert into {TABLE} values ({n})")
            await effect(f"in {n}")
            await db.execute(f"insert into {TABLE} values ({n + 1})")
        await effect(f"after {n}")

    async def main():
        async with AsyncConnectionPool(os.environ["DSN"], min_size=1, max_size=3, open=False) as pool:
            async with pool.connection() as db:
                await db.execute(f"create table {TABLE} (n int)")
            await effect("made")
            await add(pool, 1)
            await add(pool, 3)
            got = []
            async with pool.connection() as db, db.cursor(row_factory=dict_row) as cursor:
                async for row in cursor.stream(f"select n from {TABLE} order by n"):
                    got.append(row)
                    await effect(f"row {row['n']}")
        return got

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize(
    ("program", "places"),
    [
        pytest.param(ASYNCPG, (2, (3, 4, 8)), id="asyncpg"),
        pytest.param(ASYNCPG_POOL, (1, 2, 3, (4, 8)), id="asyncpg-pool", marks=pytest.mark.slow),
        pytest.param(PSYCOPG, (2, 3, 4, (2, 4, 8)), id="psycopg", marks=pytest.mark.slow),
        pytest.param(PSYCOPG_IMPLICIT, (2, (3, 6)), id="psycopg-implicit"),
        pytest.param(ASYNCPG_CURSOR, (2, 3, 6, 8), id="asyncpg-cursor", marks=pytest.mark.slow),
        pytest.param(PSYCOPG_POOL, (2, 3, 6), id="psycopg-pool", marks=pytest.mark.slow),
    ],
)
def test_rows_of_postgres(desk: Desk, postgres_server: PostgresServer, program: str, places: tuple[int, ...]) -> None:
    """Rows of a transaction that was cut off are there once, all of them, wherever that was."""
    desk.variables["DSN"] = postgres_server.url()
    killed_at(desk, {"rows.py": program}, *places)
