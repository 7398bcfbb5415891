"""Transactions of SQLite around kills: what commits at its end is done as a whole, by drivers, toolkits and bare connections."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

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
            for item in await session.scalars(select(Item)):
                item.n += 10
            await session.commit()
            session.expunge_all()
            await effect("changed")
            await effect("still inside")
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

    class Row(Base):
        __tablename__ = "t"
        n: Mapped[int] = mapped_column(primary_key=True)
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
        pytest.param(ENGINE, (2, (3, 6)), id="engine"),
        pytest.param(SESSION, (2, 3, 4, 5, 6, 7, 8, 9), id="session", marks=pytest.mark.slow),
        pytest.param(SYNC_SESSION, (2, 3, (2, 6)), id="sync-session", marks=pytest.mark.slow),
    ],
)
@pytest.mark.slow
def test_rows_of_sqlalchemy(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """All kinds of blocks, and a session that has let go of its objects after its commit, end as if nothing had happened."""
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
        pytest.param(WITH_CONNECTION, (1, (3, 5)), id="with-connection"),
        pytest.param(BETWEEN_AWAITS, (2, (3, 5)), id="between-awaits"),
        pytest.param(AIOSQLITE, (2, (3, 6)), id="aiosqlite"),
        pytest.param(AIOSQLITE_BARE, (1, 2, 3, (1, 4)), id="aiosqlite-bare", marks=pytest.mark.slow),
    ],
)
def test_rows_of_sqlite(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """A connection with an open transaction holds, whether a block or only a statement has begun it."""
    killed_at(desk, {"rows.py": program}, *places)


OPEN_BETWEEN_STEPS = """
    # durable: on
    import asyncio
    from connections import {name} as db, text
    from world import effect

    async def main():
        await effect("begun")
        db.execute(text("insert into t values (1)"))
        await effect("inside")
        await effect("still inside")
        db.execute(text("insert into t values (2)"))
        db.commit()
        await effect("after")
        return [n for (n,) in db.execute(text("select n from t order by n"))]

    print(asyncio.run(main()))
"""

CONNECTIONS = """
    import sqlite3
    from sqlalchemy import create_engine
    from sqlalchemy.orm import Session

    CONNECTION = sqlite3.connect("rows.db")
    CONNECTION.execute("create table if not exists t (n integer)")
    SESSION = Session(create_engine("sqlite:///rows.db"))
    text = str
"""


@pytest.mark.parametrize("name", ["CONNECTION", pytest.param("SESSION", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_rows_of_what_another_module_has_opened(desk: Desk, name: str) -> None:
    """A connection or session that is imported by name from a module which is not marked holds while a transaction is open."""
    connections = CONNECTIONS if name == "CONNECTION" else CONNECTIONS.replace("text = str", "from sqlalchemy import text")
    killed_at(desk, {"rows.py": OPEN_BETWEEN_STEPS.format(name=name), "connections.py": connections}, 3, (2, 5))
