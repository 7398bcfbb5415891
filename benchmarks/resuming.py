"""To go on from the last checkpoint after few and many awaits, in a new process."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import leaves
from benchmarks.measuring import Pair, apart
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.table import Row, at_most, duration

AWAITS = (1000, 100_000, 1_000_000)
FRAMES = 5
TIMES = 30  # in one process, after the first


def live(folder: str) -> None:
    """One life with all these awaits; ``folder`` gets the database as it was after each number of them."""

    async def measure(runtime: DurableRuntime, file: Path) -> None:
        leaves.database = file
        await runtime.run(programs.long_life, FRAMES, AWAITS, instance_id="long")
        for number in AWAITS:
            shutil.copy(file.with_name(f"{number}.db"), folder)
            shutil.copy(f"{file}.key", f"{folder}/{number}.db.key")

    on_sqlite("normal", measure)


def resume(file: str) -> list[float]:
    """Seconds from the call until the leaf in flight runs again: the first time, and the median of later times; then those of
    reading the row."""
    all_of_it, reading = [], []

    async def once() -> None:
        async with DurableRuntime(f"sqlite:///{file}?synchronous=normal") as runtime:
            await runtime.store.load("no such instance")  # the database is open
            leaves.reached.clear()
            begun = time.perf_counter()
            await runtime.start(programs.long_life, FRAMES, AWAITS, instance_id="long")
            while not leaves.reached:
                await asyncio.sleep(0.01)
            all_of_it.append(leaves.reached[0] - begun)

    for _ in range(1 + TIMES):
        asyncio.run(once())
        connection = sqlite3.connect(file)
        connection.execute("SELECT * FROM instance WHERE instance_id = ?", ["no such instance"]).fetchall()
        begun = time.perf_counter()
        connection.execute("SELECT * FROM instance WHERE instance_id = ?", ["long"]).fetchall()
        reading.append(time.perf_counter() - begun)
        connection.close()
    return [all_of_it[0], statistics.median(all_of_it[1:]), statistics.median(reading)]


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    with tempfile.TemporaryDirectory() as folder:
        apart(live, folder)
        found = [[apart(resume, f"{folder}/{number}.db") for number in AWAITS] for _ in range(runs)]
    few, *others = zip(*found, strict=True)
    few_firsts, few_later, reading = zip(*few, strict=True)
    for number, many in zip(AWAITS[1:], others, strict=True):
        pair = Pair(tuple(later for _, later, _ in many), few_later)
        yield at_most(1.2, f"to resume after {number:,} completed awaits / after {AWAITS[0]:,}", str(pair), pair.ratio)
    restoring = statistics.median(all_of_it - row for all_of_it, row in zip(few_later, reading, strict=True))
    both = f"{duration(statistics.median(few_later))} - {duration(statistics.median(reading))}"
    what = f"to resume an instance of {FRAMES} frames, beyond reading its row"
    yield Row(what, f"{duration(restoring)} ({both})", None, "<= 1 ms", restoring <= 1e-3)
    first = statistics.median(few_firsts)
    yield Row("the same for the first time in a process: its code is compiled", duration(first), None, "", None)
