"""A checkpoint of one task, beside a bare commit of as many bytes, and what a further frame adds to it."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.beside import turns
from benchmarks.measuring import Pair, apart
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.table import Row, at_most, duration, size

# ratio, how many turns, and how many checkpoints in a turn: where the disk is waited for, what disturbs is to disturb both
TARGETS = {"full": (1.3, 500, 1), "normal": (2.5, 100, 20)}
SHALLOW, DEEP = 5, 25  # frames


def checkpoint(synchronous: str, depth: int, times: int, count: int, kind: str) -> list[Any]:
    """See ``Turns``: ours, the processor's, the other, and how many bytes are written."""

    async def measure(runtime: DurableRuntime, file: Path) -> None:
        turns.prepare(file, synchronous)
        await runtime.run(programs.at_depth, depth, times, count, kind, instance_id="deep")

    on_sqlite(synchronous, measure)
    return [turns.ours, turns.cpu, turns.other, turns.length]


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    for synchronous, (target, times, count) in TARGETS.items():
        for depth in (1, SHALLOW):
            ours: list[float] = []
            other: list[float] = []
            length = 0
            for _ in range(runs):
                mine, _cpu, bare, length = apart(checkpoint, synchronous, depth, times, count, "order")
                ours += mine
                other += bare
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
            found.append(statistics.median(apart(checkpoint, "normal", depth, 100, 20, "nothing")[1]))
    each = statistics.median(more - less for more, less in zip(deep, shallow, strict=True)) / (DEEP - SHALLOW)
    both = f"depth {DEEP}: {duration(statistics.median(deep))}, {SHALLOW}: {duration(statistics.median(shallow))}"
    what = "processor time of a checkpoint for each further frame that does not change"
    return Row(what, f"{duration(each)} ({both})", None, "<= 2 us", each <= 2e-6)
