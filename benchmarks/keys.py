"""A step whose key was asked for, which is committed before it begins too, beside one whose was not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measuring import apart, in_turns
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.table import Row

STEPS = 500  # one after another
TOGETHER = 100  # tasks that begin together, of one step each
WAYS = {"given": "whose key was asked for", "inside": "that asks for its key itself", "parts": "whose key has parts"}


def seconds(synchronous: str, way: str, together: bool) -> float:
    """Of a step; ``way``: how its key is asked for."""

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        begun = time.perf_counter()
        if together:
            for number in range(5):
                await runtime.run(programs.keyed_tasks, TOGETHER, way, instance_id=f"keys {number}")
            return (time.perf_counter() - begun) / (5 * TOGETHER)
        await runtime.run(programs.keyed_steps, STEPS, way, instance_id="keys")
        return (time.perf_counter() - begun) / STEPS

    return float(on_sqlite(synchronous, measure))


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    for synchronous in ("full", "normal"):
        for way, what in WAYS.items():
            without = partial(apart, seconds, synchronous, "none", False)
            pair = in_turns(runs, partial(apart, seconds, synchronous, way, False), without)
            yield Row(f"a step {what} / a step, synchronous {synchronous}", str(pair), pair.ratio, "", None)
    pair = in_turns(runs, partial(apart, seconds, "full", "given", True), partial(apart, seconds, "full", "none", True))
    yield Row(f"the same of {TOGETHER} tasks that begin together, synchronous full", str(pair), pair.ratio, "", None)
