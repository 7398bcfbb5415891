"""What the durable functions that are measured await: this module is not rewritten, so each await of these is a step."""

import asyncio
import sqlite3
import time
from pathlib import Path

from durable_import import step_key

reached: list[float] = []  # the processor time when ``milestone`` was
database: Path | None = None  # that it copies


async def instant(value: int) -> int:
    """Ends without having waited: a checkpoint for each."""
    return value


async def waiting(value: int, key: str = "") -> int:  # noqa: ARG001  it is given one
    """Ends after having waited a little, as what asks a server does."""
    await asyncio.sleep(0)
    return value


async def asking(value: int) -> int:
    """The same of what tells the server its key."""
    return await waiting(value, step_key())


async def milestone(number: int) -> None:
    """Keep a copy of the database as it is now, in which this step is in flight; when it runs again, only note when that was."""
    if database is None:
        reached.append(time.process_time())
        await asyncio.Future()
    else:
        source, copy = sqlite3.connect(database), sqlite3.connect(database.with_name(f"{number}.db"))
        source.backup(copy)
        source.close()
        copy.close()
