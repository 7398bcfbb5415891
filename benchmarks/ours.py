"""Runs durable functions in this process, which is one made for that: see ``measuring.apart``."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import durable_import
from durable_import import DurableRuntime

durable_import.install()

from benchmarks import programs, waiters  # noqa: E402

__all__ = ["DurableRuntime", "on_sqlite", "programs", "waiters"]


def on_sqlite(synchronous: str, measure: Callable[[DurableRuntime, Path], Awaitable[Any]], **options: Any) -> Any:
    """What ``measure`` gives, called with a runtime on a new database that has run something before, and with the database."""

    async def run(file: Path) -> Any:
        async with DurableRuntime(f"sqlite:///{file}?synchronous={synchronous}", **options) as runtime:
            await runtime.run(programs.steps, 20, instance_id="the first instance rewrites asyncio")
            return await measure(runtime, file)

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(run(Path(folder) / "state.db"))
