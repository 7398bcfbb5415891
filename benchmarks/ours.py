"""Runs durable functions of ``benchmarks.programs`` in this process, which is one made for that: see ``measuring.apart``."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import durable_import
from durable_import import DurableRuntime

durable_import.install()

from benchmarks import programs  # noqa: E402

__all__ = ["DurableRuntime", "length_of_row", "on_sqlite", "programs"]


def on_sqlite(synchronous: str, measure: Callable[[DurableRuntime, Path], Awaitable[Any]], **options: Any) -> Any:
    """What ``measure`` gives, called with a runtime on a new database that has run something before, and with the database."""

    async def run(file: Path) -> Any:
        async with DurableRuntime(f"sqlite:///{file}?synchronous={synchronous}", **options) as runtime:
            await runtime.run(programs.leaves, 20, instance_id="the first instance rewrites asyncio")
            return await measure(runtime, file)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(Path(folder) / "state.db"))


async def length_of_row(file: str, instance_id: str) -> int:
    """Of the last checkpoint of an instance: the bytes of its row, and of its segments."""
    connection = sqlite3.connect(file)
    row = connection.execute("SELECT * FROM instance WHERE instance_id = ?", [instance_id]).fetchone()
    found = sum(len(value) if isinstance(value, (bytes, str)) else 8 for value in row)
    [(segments,)] = connection.execute("SELECT sum(length(data)) FROM segment WHERE instance_id = ?", [instance_id])
    connection.close()
    return found + (segments or 0)
