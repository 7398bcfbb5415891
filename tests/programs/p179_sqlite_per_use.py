# durable: on
"""An sqlite3 database is opened per use between awaits, with idempotent statements."""
import asyncio
import contextlib
import os
import sqlite3

from world import effect


def place():
    return os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), "p179.db")


@contextlib.contextmanager
def connect(path):
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def execute(path, statement, *values):
    with connect(path) as db:
        return db.execute(statement, values).fetchall()


async def main():
    path = place()
    execute(path, "drop table if exists orders")
    execute(path, "create table orders (id integer primary key, item text, state text)")
    await effect("created")
    for n, item in enumerate(["pen", "ink", "cup"]):
        execute(path, "insert or replace into orders values (?, ?, 'new')", n, item)
        state = await effect(f"ship {item}", "sent" if item != "ink" else "failed")
        execute(path, "update orders set state = ? where id = ?", state, n)
    await effect("all")
    rows = execute(path, "select * from orders order by id")
    try:
        execute(path, "insert into orders values (0, 'x', 'y')")
    except sqlite3.IntegrityError as error:
        await effect("refused")
        rows.append(type(error).__name__)
    os.unlink(path)
    return rows


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
