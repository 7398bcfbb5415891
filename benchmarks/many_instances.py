"""Many instances at once on one store, beside one: they share the commits."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import apart
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.table import Row, at_least

INSTANCES = 1000
LEAVES = 5  # of each
ALONE = 500  # leaves of the one beside


def leaves_per_second(instances: int, leaves: int) -> float:
    """Of so many instances at once, from when they are started until all have ended."""

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        begun = time.perf_counter()
        runs = (runtime.run(programs.leaves, leaves, instance_id=f"instance {number}") for number in range(instances))
        for done, *_times in await asyncio.gather(*runs):
            assert done == leaves
        return instances * leaves / (time.perf_counter() - begun)

    return float(on_sqlite("full", measure))


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    found = [(apart(leaves_per_second, INSTANCES, LEAVES), apart(leaves_per_second, 1, ALONE)) for _ in range(runs)]
    many, one = (statistics.median(values) for values in zip(*found, strict=True))
    ratio = statistics.median(many / one for many, one in found)
    what = f"leaves per second of {INSTANCES:,} instances at once, {LEAVES} each, / of one, synchronous full"
    yield at_least(5, what, f"{many:,.0f} / {one:,.0f}", ratio)
