"""Connections of sqlite3 and SQLAlchemy that a program opens for itself, in plain calls, killed at any place."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from tests.acceptance.test_holds_sqlite import TABLES
from tests.harness.processes import KILLED, Desk

STEPS = """
    import asyncio, os

    async def place(number):
        await asyncio.sleep(0)
        if os.environ.get("KILL") == str(number) and not os.path.exists(f"killed{number}"):
            open(f"killed{number}", "w").close()
            os.kill(os.getpid(), 9)
        await asyncio.sleep(0)
"""

BARE = """
    # durable: on
    import asyncio, sqlite3
    from steps import place

    async def main():
        connection = sqlite3.connect("rows.db")
        connection.row_factory = sqlite3.Row
        cursor = connection.cursor()
        cursor.execute("create table if not exists t (n integer primary key)")
        connection.commit()
        await place(1)
        for n in range(4):
            cursor.execute("insert or replace into t values (?)", (n,))
            if n == 2:
                await place(2)
            connection.commit()
            await place(3 + n)
        rows = connection.execute("select n from t").fetchall()
        await place(7)
        found = [row["n"] for row in rows], cursor.lastrowid, cursor.rowcount
        connection.close()
        await place(8)
        print(*found)

    asyncio.run(main())
"""

CLOSING = """
    # durable: on
    import asyncio, sqlite3
    from contextlib import closing
    from sqlite3 import connect
    from steps import place

    def upper(text):
        return text.upper()

    async def main():
        with closing(connect("rows.db", isolation_level=None, timeout=1)) as connection:
            connection.execute("PRAGMA foreign_keys = ON")
            connection.create_function("upper_of", 1, upper)
            connection.execute("create table if not exists t (n integer primary key)")
            await place(1)
            for n in range(4):
                connection.execute("insert or replace into t values (?)", (n,))
                await place(3 + n)
            with closing(connection.cursor()) as cursor:
                cursor.execute("select n, upper_of('a') from t")
                first = cursor.fetchone()
                await place(7)
                rest = cursor.fetchall()
                await place(8)
            print(first, rest, connection.execute("PRAGMA foreign_keys").fetchone(), connection.isolation_level)

    asyncio.run(main())
"""

BLOCK = """
    # durable: on
    import asyncio, sqlite3
    from steps import place

    class Rows:
        def __init__(self, path):
            self.db = sqlite3.connect(path)
            self.db.execute("create table if not exists t (n integer primary key)")

    async def main():
        rows = Rows("rows.db")
        await place(1)
        for n in (0, 2):
            with rows.db:
                await place(2)
                rows.db.execute("insert or replace into t values (?)", (n,))
                await place(3)
                rows.db.execute("insert or replace into t values (?)", (n + 1,))
            await place(4 + n)
        await place(7)
        print([n for (n,) in rows.db.execute("select n from t")])

    asyncio.run(main())
"""

CORE = """
    # durable: on
    import asyncio
    from sqlalchemy import create_engine, text
    from steps import place

    async def main():
        engine = create_engine("sqlite:///rows.db")
        with engine.connect() as connection:
            connection.execute(text("create table if not exists t (n integer primary key)"))
            connection.commit()
            await place(1)
            for n in range(2):
                connection.execute(text("insert or replace into t values (:n)"), {"n": n})
                if n == 1:
                    await place(2)
                connection.commit()
                await place(3 + n)
        bare = engine.connect()
        await place(5)
        for n in (2, 3):
            bare.execute(text("insert or replace into t values (:n)"), {"n": n})
            bare.commit()
            await place(4 + n)
        rows = bare.execute(text("select n from t")).scalars().all()
        bare.close()
        await place(8)
        print(rows)

    asyncio.run(main())
"""

SESSION = """
    # durable: on
    import asyncio
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session, sessionmaker
    from steps import place
    from tables import Base, Row

    async def main():
        engine = create_engine("sqlite:///rows.db")
        Base.metadata.create_all(engine)
        await place(1)
        with Session(engine) as session:
            await place(2)
            for n in range(2):
                session.merge(Row(n=n))
                if n == 1:
                    await place(3)
                session.commit()
                await place(4 + n)
        session = sessionmaker(engine)()
        for n in (2, 3):
            session.merge(Row(n=n))
            session.commit()
            await place(4 + n)
        rows = session.scalars(select(Row.n)).all()
        session.close()
        await place(8)
        print(rows)

    asyncio.run(main())
"""

PROGRAMS = {"bare": BARE, "closing": CLOSING, "block": BLOCK, "core": CORE, "session": SESSION}


def killed(desk: Desk, program: str, place: int, said: str) -> None:
    """Kill a program at a place, and let it go on: it says and has written what it would have without that."""
    desk.write("steps.py", STEPS)
    desk.write("tables.py", TABLES)
    desk.write("main.py", PROGRAMS[program])
    first = desk.start("main.py", variables={"KILL": str(place)}).end()
    assert first.status == KILLED, first
    done = desk.start("main.py").end()
    assert done.status == 0, done
    assert (first.out + done.out) == said, (first, done)
    with closing(sqlite3.connect(desk.folder / "rows.db")) as connection:
        assert [n for (n,) in connection.execute("select n from t")] == [0, 1, 2, 3]


SAID = {
    "bare": "[0, 1, 2, 3] 3 1\n",
    "closing": "(0, 'A') [(1, 'A'), (2, 'A'), (3, 'A')] (1,) None\n",
    "block": "[0, 1, 2, 3]\n",
    "core": "[0, 1, 2, 3]\n",
    "session": "[0, 1, 2, 3]\n",
}


@pytest.mark.parametrize(("program", "place"), [("bare", 5), ("block", 3)])
def test_connections_are_opened_again(desk: Desk, program: str, place: int) -> None:
    """No row is lost or written twice, and what was set of the connection is set again."""
    killed(desk, program, place, SAID[program])


PLACES = {name: range(1, 9) for name in PROGRAMS} | {"closing": (1, 3, 4, 5, 6, 7, 8), "block": (1, 2, 3, 4, 6, 7)}


@pytest.mark.slow
@pytest.mark.parametrize(("program", "place"), [(name, place) for name, places in PLACES.items() for place in places])
def test_connections_are_opened_again_anywhere(desk: Desk, program: str, place: int) -> None:
    """So it is at each place of each program."""
    killed(desk, program, place, SAID[program])
