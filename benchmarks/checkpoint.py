"""A checkpoint of one task, beside a bare commit of as many bytes, and what a further frame adds to it."""

from __future__ import annotations

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Pair, apart
from benchmarks.ours import DurableRuntime, length_of_row, on_sqlite, programs
from benchmarks.table import Row, at_most, duration, size

TARGETS = {"full": (1.3, 500), "normal": (2.5, 2000)}  # ratio, and how many checkpoints to measure
SHALLOW, DEEP = 5, 25  # frames


def a_record(synchronous: str, depth: int, count: int) -> list[float]:
    """See ``programs.a_record``."""

    async def measure(runtime: DurableRuntime, file: Path) -> Any:
        look = partial(length_of_row, str(file), "record")
        return await runtime.run(programs.a_record, depth, count, look, instance_id="record")

    done, seconds, cpu, length = on_sqlite(synchronous, measure)
    return [seconds / done, cpu / done, length]


def bare(synchronous: str, length: int, count: int) -> float:
    """Seconds of an UPSERT and its COMMIT."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(f"{folder}/state.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("CREATE TABLE state (id TEXT PRIMARY KEY, data BLOB) STRICT")
        data = bytes(max(length - 8, 0))
        begun = time.perf_counter()
        for number in range(count):
            row = ("record", number.to_bytes(8) + data)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("INSERT INTO state VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data", row)
            connection.execute("COMMIT")
        seconds = time.perf_counter() - begun
        connection.close()
    return seconds / count


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    for synchronous, (target, count) in TARGETS.items():
        for depth in (1, SHALLOW):
            ours, other, length = [], [], 0
            for _ in range(runs):
                seconds, _, length = apart(a_record, synchronous, depth, count)
                ours.append(seconds)
                other.append(apart(bare, synchronous, length, count))
            pair = Pair(tuple(ours), tuple(other))
            what = f"checkpoint / bare `UPSERT` and `COMMIT` of its {size(length)}, synchronous {synchronous}, depth {depth}"
            yield at_most(target, what, str(pair), pair.ratio)
    yield further_frame(runs)


def further_frame(runs: int) -> Row:
    """Processor time."""
    shallow: list[float] = []
    deep: list[float] = []
    for _ in range(runs):
        for depth, found in ((SHALLOW, shallow), (DEEP, deep)):
            found.append(apart(a_record, "normal", depth, 2000)[1])
    each = statistics.median(more - less for more, less in zip(deep, shallow, strict=True)) / (DEEP - SHALLOW)
    both = f"depth {DEEP}: {duration(statistics.median(deep))}, {SHALLOW}: {duration(statistics.median(shallow))}"
    what = "processor time of a checkpoint for each further frame that does not change"
    return Row(what, f"{duration(each)} ({both})", None, "<= 2 us", each <= 2e-6)
