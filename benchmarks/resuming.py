"""To go on from the last checkpoint after few and many awaits, in a new process."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from benchmarks import steps
from benchmarks.measuring import Pair, apart
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.table import Row, at_most, duration

AWAITS = (1000, 100_000, 1_000_000)
FRAMES = 5
TIMES = 30  # in one process, after the first time


def live(folder: str) -> None:
    """One life with all these awaits; ``folder`` gets the database as it was after each number of them."""

    async def measure(runtime: DurableRuntime, file: Path) -> None:
        steps.database = file
        await runtime.run(programs.long_life, FRAMES, AWAITS, instance_id="long")
        for number in AWAITS:
            shutil.copy(file.with_name(f"{number}.db"), folder)
            shutil.copy(f"{file}.key", f"{folder}/{number}.db.key")

    on_sqlite("normal", measure)


def resume(folder: str) -> list[Any]:
    """See ``resume_once``: the first time in this process, then turns with the databases after each number of awaits; ``read``,
    as often."""
    first = asyncio.run(resume_once(f"{folder}/{AWAITS[0]}.db"))
    turns = [[asyncio.run(resume_once(f"{folder}/{number}.db")) for number in AWAITS] for _ in range(TIMES)]
    return [first, turns, [read(f"{folder}/{AWAITS[0]}.db") for _ in range(TIMES)]]


async def resume_once(file: str) -> float:
    """Processor seconds from the call until the step in flight runs again. Then it is suspended again."""
    async with DurableRuntime(f"sqlite:///{file}?synchronous=normal") as runtime:
        await runtime.run(programs.steps, 1, instance_id=f"before {time.time()}")  # what a runtime begins with has begun
        steps.reached.clear()
        begun = time.process_time()
        await runtime.start(programs.long_life, FRAMES, AWAITS, instance_id="long")
        while not steps.reached:
            await asyncio.sleep(0.01)
        return steps.reached[0] - begun


def read(file: str) -> float:
    """Processor seconds to read the row."""
    connection = sqlite3.connect(file)
    connection.execute("SELECT * FROM instance WHERE instance_id = ?", ["no such instance"]).fetchall()
    begun = time.process_time()
    connection.execute("SELECT * FROM instance WHERE instance_id = ?", ["long"]).fetchall()
    seconds = time.process_time() - begun
    connection.close()
    return seconds


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    with tempfile.TemporaryDirectory() as folder:
        apart(live, folder)
        firsts, turns, reading = zip(*(apart(resume, folder) for _ in range(runs)), strict=True)
    few, *others = zip(*chain(*turns), strict=True)
    for number, many in zip(AWAITS[1:], others, strict=True):
        pair = Pair(many, few)
        what = f"processor time to resume after {number:,} completed awaits / after {AWAITS[0]:,}"
        yield at_most(1.2, what, str(pair), pair.ratio)
    all_of_it, row = statistics.median(few), statistics.median(chain(*reading))
    restoring = all_of_it - row
    what = f"processor time to resume an instance of {FRAMES} frames, beyond reading its row"
    yield Row(what, f"{duration(restoring)} ({duration(all_of_it)} - {duration(row)})", None, "<= 1 ms", restoring <= 1e-3)
    what = "the same for the first time in a process: code is compiled, asyncio made durable"
    yield Row(what, duration(statistics.median(firsts)), None, "", None)
