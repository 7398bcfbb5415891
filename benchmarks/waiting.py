"""Many instances that wait for events: `python -m benchmarks.waiting [--count 100000]`.

Prints what they cost (rows, memory of the process, time to begin one), and how long it takes from an event to the result of
the instance that waited for it, when none of them is in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.memory import resident
from benchmarks.ours import DurableRuntime, waiters


def memory() -> float:
    """What this process holds now, in MiB."""
    return resident() / 2**20


async def begin(runtime: DurableRuntime, numbers: range) -> None:
    for number in numbers:
        await runtime.start(waiters.wait_and_add, number, instance_id=f"waiting {number}")


async def measure(count: int, samples: int, folder: Path) -> None:
    url = f"sqlite:///{folder}/waiting.db?synchronous=normal"
    async with DurableRuntime(url, evict_after=0.0) as runtime:
        await runtime.run(waiters.return_at_once, instance_id="warm up")
        before, began = memory(), time.perf_counter()
        clients = 50
        await asyncio.gather(*(begin(runtime, range(client, count, clients)) for client in range(clients)))
        while runtime.running:
            await asyncio.sleep(0.01)
        each = (time.perf_counter() - began) / count
        on_disk = (folder / "waiting.db").stat().st_size / count / 1024
        print(f"{count:,} waiting instances: {each * 1e3:.2f} ms to begin one, {on_disk:.2f} KiB on disk each,", end=" ")
        print(f"{memory() - before:.1f} MiB more in memory for all")
        latencies = []
        for sample in range(samples):
            number = sample * (count // samples)
            handle = runtime.handle(f"waiting {number}")
            asked = time.perf_counter()
            await handle.send("go", 1)
            assert await handle.result() == number + 1
            latencies.append(time.perf_counter() - asked)
        middle, last = statistics.median(latencies) * 1e3, sorted(latencies)[int(samples * 0.99)] * 1e3
        print(f"from event to result: median {middle:.1f} ms, 99th percentile {last:.1f} ms ({samples} samples)")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.waiting", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=200)
    options = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(options.count, options.samples, Path(folder)))


if __name__ == "__main__":
    sys.exit(main())
