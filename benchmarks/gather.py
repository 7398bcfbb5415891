"""What a completed step costs in an instance with many tasks: N children in a ``gather``, each with three steps; N sleepers.

``python -m benchmarks.gather [--runs 3] [--most 10000] [--write]`` measures on SQLite for N = 100, 1,000, ...: the time and the
processor time per step as the medians of the runs, their ratios to N = 100, and the peak of memory; each run is a process of
its own. It prints the tables; with ``--write`` it puts them into docs/performance.md. Ratios within one call can be compared; the
times depend on the machine, its disk, and what else it does.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

from benchmarks.table import ROOT, machine, write

KINDS = {
    "turn": "`sleep(0)`: all children go on in the same round",
    "timer": "`sleep` of a random time: children go on one by one",
    "instant": "a coroutine of a library that does not wait: a checkpoint for each",
}
SLEEPERS = "sleepers"


def one(kind: str, number: int, store: str) -> None:
    """One run, in this process; prints seconds and seconds of processor time, the peak of memory in MiB, and delays."""
    import durable_import
    from durable_import import DurableRuntime

    durable_import.install(modules=["benchmarks.children"])
    from benchmarks import children

    async def run() -> list[float]:
        async with DurableRuntime(store) as runtime:
            await runtime.run(children.family, "instant", 2, instance_id="the first instance rewrites asyncio")
            begun, begun_cpu = time.perf_counter(), time.process_time()
            late = [0.0]
            if kind == SLEEPERS:
                late = await runtime.run(children.sleepers, number, 2 + number / 500, instance_id=kind)
                assert len(late) == number
            else:
                assert await runtime.run(children.family, kind, number, instance_id=kind) == number * 3
            return [time.perf_counter() - begun, time.process_time() - begun_cpu, statistics.median(late), max(late)]

    random.seed(number)
    seconds, cpu, *late = asyncio.run(run())
    print(seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, *late)


def measure(kind: str, number: int, runs: int) -> list[float]:
    """Medians of what ``one`` prints."""
    found = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, "-m", "benchmarks.gather", "--one", kind, str(number), f"sqlite:///{folder}/state.db"]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            found.append([float(text) for text in done.stdout.split()])
    return [statistics.median(values) for values in zip(*found, strict=True)]


def table_of_steps(numbers: list[int], runs: int) -> Iterator[str]:
    """The lines of the table of children with three steps each."""
    yield "| steps | children | ms per step | ratio | processor ms per step | ratio | peak MiB |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for kind, meaning in KINDS.items():
        base: list[float] = []
        for number in numbers:
            seconds, cpu, memory, *_ = measure(kind, number, runs)
            each = [seconds * 1000 / number / 3, cpu * 1000 / number / 3]
            base = base or each
            cells = " | ".join(f"{value:.2f} | {value / first:.2f}" for value, first in zip(each, base, strict=True))
            yield f"| {meaning} | {number:,} | {cells} | {memory:.0f} |"


def table_of_sleepers(numbers: list[int], runs: int) -> Iterator[str]:
    """The lines of the table of sleepers with one deadline."""
    yield "| sleepers | processor ms for each | ratio | woken too late, median | the last one | peak MiB |"
    yield "|--:|--:|--:|--:|--:|--:|"
    base = 0.0
    for number in numbers:
        _, cpu, memory, median, last = measure(SLEEPERS, number, runs)
        each = cpu * 1000 / number
        base = base or each
        yield f"| {number:,} | {each:.2f} | {each / base:.2f} | {median:.2f} s | {last:.2f} s | {memory:.0f} |"


def main() -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", nargs=3, metavar=("KIND", "NUMBER", "STORE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one[0], int(options.one[1]), options.one[2])
        return
    numbers = [n for n in (100, 1000, 10_000, 100_000) if n <= options.most]
    lines = [f"{machine()}, full durability, medians of {options.runs}.", ""]
    for table in (table_of_steps(numbers, options.runs), table_of_sleepers(numbers, options.runs)):
        for line in table:
            print(line, flush=True)
            lines.append(line)
        print()
        lines.append("")
    if options.write:
        write("gather", lines[:-1])


if __name__ == "__main__":
    main()
