"""Transactions around kills: whatever commits at its end is done as a whole, with the drivers and toolkits that people use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

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


@pytest.mark.parametrize(
    ("program", "places"),
    [
        pytest.param(ASYNCPG, (2, 3, 4, (2, 4, 8)), id="asyncpg"),
        pytest.param(ASYNCPG_POOL, (1, 2, 3, (4, 8)), id="asyncpg-pool"),
        pytest.param(PSYCOPG, (2, 3, 4, (2, 4, 8)), id="psycopg"),
        pytest.param(PSYCOPG_IMPLICIT, (1, 2, 3, (2, 5)), id="psycopg-implicit"),
    ],
)
def test_rows_of_postgres(desk: Desk, postgres_server: PostgresServer, program: str, places: tuple[int, ...]) -> None:
    """Rows of a transaction that was cut off are there once, all of them, wherever that was."""
    desk.variables["DSN"] = postgres_server.url()
    killed_at(desk, {"rows.py": program}, *places)


ENGINE = """
    # durable: on
    import asyncio
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine
    from world import effect

    async def main():
        engine = create_async_engine("sqlite+aiosqlite:///rows.db")
        async with engine.begin() as connection:
            await connection.execute(text("create table t (n integer)"))
        for first in (1, 3):
            await effect(f"before {first}")
            async with engine.begin() as connection:
                await connection.execute(text("insert into t values (:n)"), {"n": first})
                await effect(f"inside {first}")
                await connection.execute(text("insert into t values (:n)"), {"n": first + 1})
            await effect(f"after {first}")
        async with engine.connect() as connection:
            rows = list((await connection.execute(text("select n from t order by n"))).scalars())
        await engine.dispose()
        return rows

    print(asyncio.run(main()))
"""

SESSION = """
    # durable: on
    import asyncio
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
    from tables import Base, Item
    from world import effect

    async def add(sessions, first):
        async with sessions() as session:
            async with session.begin():
                session.add(Item(n=first))
                await session.flush()
                await effect(f"inside {first}")
                session.add(Item(n=first + 1))
                await effect(f"inside {first + 1}")
        await effect(f"after {first}")

    async def main():
        engine = create_async_engine("sqlite+aiosqlite:///rows.db")
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        await effect("made")
        await add(sessions, 1)
        async with sessions.begin() as session:
            session.add(Item(n=3))
            await effect("inside 3")
            session.add_all([Item(n=4), Item(n=5)])
        async with sessions() as session:
            session.add(Item(n=6))
            await effect("inside 6")
            session.add(Item(n=7))
            await session.commit()
        await effect("after 7")
        async with sessions() as session:
            rows = (await session.scalars(select(Item.n).order_by(Item.n))).all()
        await engine.dispose()
        return list(rows)

    print(asyncio.run(main()))
"""

TABLES = """
    from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

    class Base(DeclarativeBase):
        pass

    class Item(Base):
        __tablename__ = "item"
        id: Mapped[int] = mapped_column(primary_key=True)
        n: Mapped[int]
"""

SYNC_SESSION = """
    # durable: on
    import asyncio
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session
    from tables import Base, Item
    from world import effect

    async def main():
        engine = create_engine("sqlite:///rows.db")
        Base.metadata.create_all(engine)
        for first in (1, 3):
            await effect(f"before {first}")
            with Session(engine) as session, session.begin():
                session.add(Item(n=first))
                session.flush()
                await effect(f"inside {first}")
                session.add(Item(n=first + 1))
            await effect(f"after {first}")
        with Session(engine) as session:
            return list(session.scalars(select(Item.n).order_by(Item.n)))

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize(
    ("program", "places"),
    [
        pytest.param(ENGINE, (2, 3, (2, 6)), id="engine"),
        pytest.param(SESSION, (2, 3, 4, 5, 6, 7), id="session"),
        pytest.param(SYNC_SESSION, (2, 3, (2, 6)), id="sync-session"),
    ],
)
def test_rows_of_sqlalchemy(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """`engine.begin()`, `session.begin()` and a session that is committed by hand end as if nothing had happened."""
    killed_at(desk, {"rows.py": program, "tables.py": TABLES}, *places)


WITH_CONNECTION = """
    # durable: on
    import asyncio, sqlite3
    from world import effect

    DB = sqlite3.connect("rows.db")
    DB.execute("create table if not exists t (n integer)")

    async def main():
        for first in (1, 3, 5):
            with DB:
                DB.execute("insert into t values (?)", (first,))
                await effect(f"inside {first}")
                DB.execute("insert into t values (?)", (first + 1,))
        await effect("after")
        return [n for (n,) in DB.execute("select n from t order by n")]

    print(asyncio.run(main()))
"""

BETWEEN_AWAITS = """
    # durable: on
    import asyncio, sqlite3
    from world import effect

    DB = sqlite3.connect("rows.db")
    DB.execute("create table if not exists t (n integer)")

    async def main():
        for first in (1, 3, 5):
            await effect(f"before {first}")
            DB.execute("insert into t values (?)", (first,))
            await effect(f"inside {first}")
            DB.execute("insert into t values (?)", (first + 1,))
            DB.commit()
        await effect("after")
        return [n for (n,) in DB.execute("select n from t order by n")]

    print(asyncio.run(main()))
"""

LOCAL_CONNECTION = """
    # durable: on
    import asyncio, sqlite3
    from world import effect

    async def main():
        db = sqlite3.connect("rows.db")
        with db:
            db.execute("create table if not exists t (n integer)")
        for first in (1, 3, 5):
            await effect(f"before {first}")
            cursor = db.cursor()
            cursor.execute("insert into t values (?)", (first,))
            await effect(f"inside {first}")
            cursor.execute("insert into t values (?)", (first + 1,))
            db.commit()
        await effect("after")
        return [n for (n,) in db.execute("select n from t order by n")]

    print(asyncio.run(main()))
"""

AIOSQLITE = """
    # durable: on
    import asyncio, aiosqlite
    from world import effect

    async def main():
        async with aiosqlite.connect("rows.db") as db:
            await db.execute("create table t (n integer)")
            for first in (1, 3):
                await effect(f"before {first}")
                await db.execute("insert into t values (?)", (first,))
                await effect(f"inside {first}")
                await db.execute("insert into t values (?)", (first + 1,))
                await db.commit()
                await effect(f"after {first}")
            async with db.execute("select n from t order by n") as cursor:
                return [n async for (n,) in cursor]

    print(asyncio.run(main()))
"""

AIOSQLITE_BARE = """
    # durable: on
    import asyncio, aiosqlite
    from world import effect

    class Ledger:
        async def open(self):
            self.db = await aiosqlite.connect("rows.db", isolation_level=None)
            await self.db.execute("create table t (n integer)")

        async def add(self, first):
            await self.db.execute("begin")
            try:
                await self.db.execute("insert into t values (?)", (first,))
                await effect(f"inside {first}")
                await self.db.execute("insert into t values (?)", (first + 1,))
            except BaseException:
                await self.db.execute("rollback")
                raise
            await self.db.execute("commit")

    async def main():
        ledger = Ledger()
        await ledger.open()
        for first in (1, 3):
            await ledger.add(first)
            await effect(f"after {first}")
        cursor = await ledger.db.execute("select n from t order by n")
        rows = [n for (n,) in await cursor.fetchall()]
        await cursor.close()
        await ledger.db.close()
        return rows

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize(
    ("program", "places"),
    [
        pytest.param(WITH_CONNECTION, (1, 2, 3, 4, (1, 3, 6)), id="with-connection"),
        pytest.param(BETWEEN_AWAITS, (1, 2, 3, 4, (2, 5)), id="between-awaits"),
        pytest.param(LOCAL_CONNECTION, (1, 2, 3, 4, (2, 5)), id="local-connection"),
        pytest.param(AIOSQLITE, (1, 2, 3, 5, (2, 5)), id="aiosqlite"),
        pytest.param(AIOSQLITE_BARE, (1, 2, 3, (1, 4)), id="aiosqlite-bare"),
    ],
)
def test_rows_of_sqlite(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """A connection with an open transaction holds, whether a block or only a statement has begun it."""
    killed_at(desk, {"rows.py": program}, *places)
