# durable: on
"""A connection opened by `closing` in a block without jumps is used after awaits inside nested asynchronous generators."""
import asyncio
import contextlib
import sqlite3

from world import effect

HOLDS = True  # while the connection is open


async def rows():
    for number in range(4):
        yield {"id": number, "price": await effect(f"row {number}", number * 3)}


async def batches(source, size):
    batch = []
    async for row in source:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def connect():
    database = sqlite3.connect(":memory:")
    database.execute("create table if not exists item(id integer primary key, price)")
    return database


async def main():
    sums = []
    with contextlib.closing(connect()) as database:
        async for batch in batches(rows(), 3):
            with database:
                database.executemany("insert or replace into item values(:id, :price)", batch)
            await effect(f"stored {len(batch)}")
            sums.append(sum(row["price"] for row in batch))
        left = database.execute("select 6 * 7").fetchone()
    await effect("closed")
    return sums, left



if __name__ == "__main__":
    print(repr(asyncio.run(main())))
