"""Pools and sessions over PostgreSQL in programs of several tasks that are killed at any moment."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.harness.chaos import kill_at_random
from tests.harness.killing import last_line
from tests.harness.processes import Desk

if TYPE_CHECKING:
    from tests.harness.postgres import PostgresServer

pytestmark = pytest.mark.slow

BLOCKS, TASKS = 20, 3  # each block adds three rows, each task has so many
HEAD = f"""
    # durable: on
    import asyncio, os, uuid

    TABLE, BLOCKS, TASKS = os.environ["NAME"], {BLOCKS}, {TASKS}

    async def work(source, run, task):
        for number in range(BLOCKS):
            await add(source, run, f"{{task}}.{{number}}")
            await asyncio.sleep(0.01)

    async def work_all(source, run):
        async with asyncio.TaskGroup() as group:
            for task in range(TASKS):
                group.create_task(work(source, run, task))
"""

PSYCOPG_POOL = """
    from psycopg_pool import AsyncConnectionPool

    async def add(pool, run, block):
        async with pool.connection() as db:
            await db.execute(f"insert into {TABLE} values (%s, %s, 0)", (run, block))
            await asyncio.sleep(0.01)
            async with db.transaction():
                await db.execute(f"insert into {TABLE} values (%s, %s, 1)", (run, block))
                await asyncio.sleep(0.01)
            await db.execute(f"insert into {TABLE} values (%s, %s, 2)", (run, block))

    async def main():
        run = uuid.uuid4().hex
        OPENED
            await work_all(pool, run)
            async with pool.connection() as db, db.cursor() as cursor:
                await cursor.execute(f"select count(distinct block) from {TABLE} where run = %s", (run,))
                (count,) = await cursor.fetchone()
        CLOSED
        print(run, count)

    asyncio.run(main())
"""
IN_BLOCK = ('async with AsyncConnectionPool(os.environ["DSN"], min_size=1, max_size=1, open=False) as pool:', "pass")
BY_HAND = (
    """pool = AsyncConnectionPool(os.environ["DSN"], min_size=1, max_size=1, open=False)
        await pool.open()
        if pool:""",
    "await pool.close()",
)

SESSION = """
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

    ROW = text(f"insert into {TABLE} values (:run, :block, :part)")

    async def add(sessions, run, block):
        async with sessions() as session, session.begin():
            await session.execute(ROW, {"run": run, "block": block, "part": 0})
            await asyncio.sleep(0.01)
            async with session.begin_nested():
                await session.execute(ROW, {"run": run, "block": block, "part": 1})
                await asyncio.sleep(0.01)
            await session.execute(ROW, {"run": run, "block": block, "part": 2})

    async def main():
        run = uuid.uuid4().hex
        engine = create_async_engine(os.environ["DSN"].replace("postgresql", "postgresql+DRIVER"), pool_size=2)
        sessions = async_sessionmaker(engine, expire_on_commit=False)
        await work_all(sessions, run)
        async with sessions() as session:
            found = await session.execute(text(f"select count(distinct block) from {TABLE} where run = :run"), {"run": run})
            count = found.scalar_one()
        await engine.dispose()
        print(run, count)

    asyncio.run(main())
"""

PROGRAMS = {
    "psycopg-pool": PSYCOPG_POOL.replace("OPENED", IN_BLOCK[0]).replace("CLOSED", IN_BLOCK[1]),
    "psycopg-pool-opened-by-hand": PSYCOPG_POOL.replace("OPENED", BY_HAND[0]).replace("CLOSED", BY_HAND[1]),
    "sqlalchemy-asyncpg": SESSION.replace("DRIVER", "asyncpg"),
    "sqlalchemy-psycopg": SESSION.replace("DRIVER", "psycopg"),
}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=list(PROGRAMS))
def test_transactions_of_several_tasks(desk: Desk, postgres_server: PostgresServer, program: str) -> None:
    """Each block is there as a whole; one that a kill made run again is so as a whole, and there are few of these."""
    table = f"t{abs(hash(desk.folder)) % 10**12}"
    postgres_server.execute(f"create table {table} (run text, block text, part int)")
    desk.variables.update(DSN=postgres_server.url(), NAME=table)
    desk.write("rows.py", HEAD + program)
    native = desk.native("rows.py")
    assert (native.status, last_line(native.out).split()[1:]) == (0, [str(BLOCKS * TASKS)]), native
    lives = kill_at_random(desk, "rows.py", moments=random.Random(1), kills=6, span=0.6)
    assert lives.kills > 0
    run, count = last_line(lives.result).split()
    assert count == str(BLOCKS * TASKS)
    counts = "select block, sum((part = 0)::int), sum((part = 1)::int), sum((part = 2)::int)"
    rows = postgres_server.execute(f"{counts} from {table} where run = '{run}' group by block")
    assert {block: (first, second) for block, first, *others in rows for second in others if first != second} == {}
    assert sum(int(str(first)) - 1 for _, first, *_ in rows) <= 12 * lives.kills  # half a second, then the doors close
    postgres_server.execute(f"drop table {table}")
