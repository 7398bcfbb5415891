"""What the shop has and for whom, in a database. Plain functions; to call one twice does no harm."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

DATABASE = Path(os.environ.get("STOCK", ".durable/stock.db"))
PIECES = {"teapot": 10, "kettle": 10, "unicorn": 0}


def reserve(order_id: str, item: str) -> bool:
    """Whether there is a piece for the order."""
    with database() as connection:
        if connection.execute("SELECT 1 FROM reserved WHERE order_id = ?", [order_id]).fetchone():
            return True
        (taken,) = connection.execute("SELECT count(*) FROM reserved WHERE item = ?", [item]).fetchone()
        if taken >= PIECES.get(item, 0):
            return False
        connection.execute("INSERT INTO reserved VALUES (?, ?, 0)", [order_id, item])
        return True


def release(order_id: str) -> None:
    with database() as connection:
        connection.execute("DELETE FROM reserved WHERE order_id = ?", [order_id])


def ship(order_id: str) -> None:
    with database() as connection:
        connection.execute("UPDATE reserved SET shipped = 1 WHERE order_id = ?", [order_id])


@contextmanager
def database() -> Iterator[sqlite3.Connection]:
    """A transaction of its own."""
    DATABASE.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(DATABASE, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS reserved (order_id PRIMARY KEY, item, shipped)")
        with connection:
            yield connection
