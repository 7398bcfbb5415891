"""The memory of instances that wait for an event: kept in memory, and evicted."""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measuring import apart
from benchmarks.ours import DurableRuntime, on_sqlite, waiters
from benchmarks.table import Row, size

WARM_UP = 10_000  # instances, so many that the process does not grow for its first ones
INSTANCES = 5000
CLIENTS = 50  # start them, at once
NEARLY_NOTHING = 100  # bytes: what an allocator may hold back


def resident() -> int:
    """Bytes of memory that this process has."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bytes_for_each(is_evicted: bool) -> float:
    """What the process has grown by, for each instance."""

    async def begin(runtime: DurableRuntime, numbers: range) -> None:
        for number in numbers:
            await runtime.start(waiters.wait_and_add, number, instance_id=f"waiting {number}")

    async def begin_all(runtime: DurableRuntime, numbers: range) -> None:
        await asyncio.gather(*(begin(runtime, numbers[client::CLIENTS]) for client in range(CLIENTS)))
        while is_evicted and runtime.running:
            await asyncio.sleep(0.01)
        for instance_id in list(runtime.running):
            while (await runtime.summary_of(instance_id)).status != "waiting":
                await asyncio.sleep(0.01)

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        await begin_all(runtime, range(INSTANCES, INSTANCES + WARM_UP))
        before = resident()
        await begin_all(runtime, range(INSTANCES))
        return (resident() - before) / INSTANCES

    return float(on_sqlite("normal", measure, evict_after=0.0 if is_evicted else None))


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    for is_evicted, limit, meaning, target in (
        (False, 10_000, "kept in memory", "<= 10 KB"),
        (True, NEARLY_NOTHING, "evicted", f"0 (< {NEARLY_NOTHING} bytes)"),
    ):
        each = statistics.median(apart(bytes_for_each, is_evicted) for _ in range(runs))
        yield Row(f"memory of an instance that waits for an event, {meaning}", size(each), None, target, each <= limit)
