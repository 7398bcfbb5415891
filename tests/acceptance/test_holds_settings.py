"""Statements that set a connection, ``PRAGMA`` and ``SET``: they are made again when it is opened again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from tests.harness.postgres import PostgresServer

SQLITE = """
    # durable: on
    import asyncio

    import aiosqlite
    from world import effect

    async def read(db, name):
        async with db.execute(f"PRAGMA {name}") as cursor:
            [(value,)] = await cursor.fetchall()
        return value

    async def main():
        async with aiosqlite.connect("shop.db") as db:
            await db.execute("PRAGMA foreign_keys = ON")
            await db.executescript("-- own\\nPRAGMA synchronous=OFF; pragma busy_timeout(1234); PRAGMA user_version = 7")
            async with db.cursor() as cursor:
                await cursor.execute("PRAGMA cache_size = 17")
                await cursor.execute("PRAGMA cache_size = 18")
            await effect("set")
            await db.execute("create table if not exists t (x)")
            await db.commit()
            await effect("made")
            names = ("foreign_keys", "synchronous", "busy_timeout", "user_version", "cache_size")
            print([await read(db, name) for name in names])

    asyncio.run(main())
"""


def test_pragmas_of_aiosqlite(desk: Desk) -> None:
    """However they were said, each is as it was last; what is of the file is not said again."""
    killed_at(desk, {"shop.py": SQLITE}, 1, 2, (1, 3))


HEAD = """
    # durable: on
    import asyncio
    import os

    from world import effect

"""
ASYNCPG = """
    import asyncpg

    async def main():
        async with asyncpg.create_pool(os.environ["DSN"], min_size=1, max_size=1) as pool:
            async with pool.acquire() as of_pool:
                await of_pool.execute("SET application_name = 'of the pool'")
                await effect("of the pool")
                seen = [await of_pool.fetchval("show application_name")]
                await effect("still")
            async with pool.acquire() as of_pool:
                seen.append(await of_pool.fetchval("show application_name"))
        db = await asyncpg.connect(os.environ["DSN"])
        await db.execute("SET search_path TO shop, public; set time zone 'Asia/Tokyo'")
        await db.execute("set statement_timeout = 5000; SET statement_timeout = 6000")
        await effect("alone")
        for name in ("search_path", "TimeZone", "statement_timeout"):
            seen.append(await db.fetchval(f"show {name}"))
        await effect("seen")
        await db.close()
        print(seen)

    asyncio.run(main())
"""
PSYCOPG = """
    import psycopg

    async def main():
        async with await psycopg.AsyncConnection.connect(os.environ["DSN"]) as db:
            await db.execute("set search_path to shop")
            await db.commit()
            await effect("set")
            idle = db.info.transaction_status
            row = await (await db.execute("show search_path")).fetchone()
            await db.commit()
            await effect("seen")
        with psycopg.connect(os.environ["DSN"], autocommit=True) as plain:
            plain.execute("set application_name = 'plain'")
            await effect("plain")
            name = plain.execute("show application_name").fetchone()
        print(row, name, idle)

    asyncio.run(main())
"""


@pytest.mark.parametrize("program", [ASYNCPG, PSYCOPG], ids=["asyncpg", "psycopg"])
def test_settings_of_postgres(desk: Desk, postgres_server: PostgresServer, program: str) -> None:
    """A connection that is opened again, also one of a pool, is set as it was, and has no transaction open from that."""
    desk.variables["DSN"] = postgres_server.url()
    killed_at(desk, {"shop.py": HEAD + program}, 1, 2, 3, (1, 3, 5))
