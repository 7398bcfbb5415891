# durable: on
"""After a with block the closed database connection and cursor stay bound to their names during awaits."""
import asyncio
import contextlib
import os
import sqlite3

from world import effect


async def main():
    path = os.path.join(os.environ.get("EFFECT_DIR") or os.getcwd(), "p189.db")
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("create table if not exists t (n integer primary key)")
    await effect("created")
    for n in range(3):
        value = await effect(f"value {n}", n * n)
        with contextlib.closing(sqlite3.connect(path)) as db, db:
            db.execute("insert or replace into t values (?)", (value,))
    await effect("written")
    with contextlib.closing(sqlite3.connect(path)) as db:
        rows = db.execute("select n from t order by n").fetchall()
    await effect("read")
    os.unlink(path)
    return rows


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
