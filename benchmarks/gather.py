"""What a completed leaf costs in an instance with many tasks: N children in a ``gather``, each with three leaves.

``python -m benchmarks.gather [--runs 3] [--most 10000]`` prints, for three kinds of leaves, the time per leaf on SQLite for
N = 100, 1,000, ... as the median of the runs, its ratio to N = 100, and the peak of memory; each run is a process of its own.
Ratios within one call can be compared; the times depend on the machine and its disk.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = {
    "turn": "`sleep(0)`: all children go on in the same round",
    "timer": "`sleep` of a random time: children go on one by one",
    "instant": "a coroutine of a library that does not wait: a checkpoint for each",
}


async def instant(value: int) -> int:
    """A leaf that ends without having waited: this module is not rewritten."""
    return value


def one(kind: str, number: int, store: str) -> None:
    """One run, in this process; prints seconds per leaf and the peak of memory in MiB."""
    import durable_import
    from durable_import import DurableRuntime

    durable_import.install(modules=["benchmarks.children"])
    from benchmarks import children

    async def run() -> float:
        async with DurableRuntime(store) as runtime:
            begun = time.perf_counter()
            assert await runtime.run(children.family, kind, number, instance_id=f"{kind} {number}") == number * 3
            return time.perf_counter() - begun

    random.seed(number)
    seconds = asyncio.run(run())
    print(seconds / number / 3, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(kind: str, number: int, runs: int) -> tuple[float, float]:
    """Medians of seconds per leaf and MiB."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "benchmarks.gather", "--one", kind, str(number), f"sqlite:///{folder}/state.db"]
            done = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True)
            found.append([float(text) for text in done.stdout.split()])
    return statistics.median(f[0] for f in found), statistics.median(f[1] for f in found)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--one", nargs=3, metavar=("KIND", "NUMBER", "STORE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], int(options.one[1]), options.one[2])
        return
    print(f"Python {platform.python_version()}, {platform.machine()}, full durability, median of {options.runs}\n")
    print("| leaves | children | ms per leaf | ratio | peak MiB |\n|---|---|---|---|---|")
    for kind, meaning in KINDS.items():
        base, number = 0.0, 100
        while number <= options.most:
            seconds, memory = measure(kind, number, options.runs)
            base = base or seconds
            print(f"| {meaning} | {number:,} | {seconds * 1000:.2f} | {seconds / base:.2f} | {memory:.0f} |", flush=True)
            number *= 10


if __name__ == "__main__":
    main()
