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
STEPS = 5  # of each
ALONE = 500  # steps of the one beside


def steps_per_second(instances: int, steps: int) -> float:
    """Of so many instances at once, from when they are started until all have ended."""

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        begun = time.perf_counter()
        runs = (runtime.run(programs.steps, steps, instance_id=f"instance {number}") for number in range(instances))
        for done, *_times in await asyncio.gather(*runs):
            assert done == steps
        return instances * steps / (time.perf_counter() - begun)

    return float(on_sqlite("full", measure))


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    found = [(apart(steps_per_second, INSTANCES, STEPS), apart(steps_per_second, 1, ALONE)) for _ in range(runs)]
    many, one = (statistics.median(values) for values in zip(*found, strict=True))
    ratio = statistics.median(many / one for many, one in found)
    what = f"steps per second of {INSTANCES:,} instances at once, {STEPS} each, / of one, synchronous full"
    yield at_least(5, what, f"{many:,.0f} / {one:,.0f}", ratio)
