"""What the flows do to the world: noted in a list of the process."""

import asyncio
import inspect
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from durable_import import reopenable, step_key

world: list[str] = []
open_gates: set[str] = set()
reached_gates: set[str] = set()
tracing: dict[str, Any] = {}  # ``tracer``: the one of the test


async def effect(what: str, value: Any = None) -> Any:
    """Note it, and give the value."""
    await asyncio.sleep(0)
    world.append(what)
    return value


async def book_row(connection: Any, name: str) -> None:
    """Put a row into the program's table, by a connection of SQLite or of psycopg."""
    mark = "%s" if inspect.iscoroutinefunction(connection.execute) else "?"
    done = connection.execute(f"INSERT INTO ledger VALUES ({mark})", (name,))
    if inspect.isawaitable(done):
        await done


async def count_rows(connection: Any) -> int:
    """How many there are in the program's table."""
    cursor = connection.execute("SELECT count(*) FROM ledger")
    if inspect.isawaitable(cursor):
        cursor = await cursor
    found = cursor.fetchone()
    (count,) = await found if inspect.isawaitable(found) else found
    return int(count)


async def lose_once(connection: Any) -> None:
    """Let the database end the transaction, as when it restarts, or when its disk is full."""
    if "lost" in world:
        return
    world.append("lost")
    if isinstance(connection, sqlite3.Connection):
        connection.execute("ROLLBACK")
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_FULL, "SQLITE_FULL"
        raise error
    await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


async def write_locked(file: str) -> None:
    """Write to a database that somebody else has locked."""
    with closing(sqlite3.connect(file)) as other, closing(sqlite3.connect(file, timeout=0.0)) as connection:
        other.execute("BEGIN EXCLUSIVE")
        connection.execute("CREATE TABLE ours (number)")


async def hold(gate: str) -> None:
    """Wait, in foreign code, until the gate is open."""
    reached_gates.add(gate)
    while gate not in open_gates:
        await asyncio.sleep(0.002)


class Desk:
    """As a library's client: it is made again by the call that made it."""

    def __init__(self, url: str, *, retries: int = 0) -> None:
        self.url, self.retries, self.socket = url, retries, open_gates


reopenable(Desk)


async def hold_with_key(gate: str) -> None:
    """Note the key of the step, and wait."""
    world.append(step_key())
    await hold(gate)


def spring() -> None:
    """What must never be called."""
    world.append("EVIL")


def current_tracer() -> Any:
    """The one of the test."""
    return tracing["tracer"]


async def hold_traced(gate: str) -> None:
    """As a traced library would."""
    with current_tracer().start_as_current_span("inside"):
        await hold(gate)


async def refuse(what: str) -> None:
    """Fail."""
    await asyncio.sleep(0)
    raise LookupError(what)


def nothing() -> None:
    """For a thread."""


async def no_wait() -> None:
    """A step that ends without having waited."""


async def need(flag: Any, key: str) -> None:
    """Fail as long as a file is not there."""
    await asyncio.sleep(0)
    world.append(f"need {key}")
    if not flag.exists():
        raise LookupError("not there yet")


async def call_in_library(function: Callable[..., object], **keywords: object) -> None:
    """As a library's code would."""
    await asyncio.sleep(0)
    function(**keywords)
