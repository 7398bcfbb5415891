"""The same workflows with dbos, on SQLite with the same durability, and with dbos and absurd on one PostgreSQL server."""

from __future__ import annotations

import asyncio
import platform
import secrets
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import apart, call, in_turns
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.stores import INSTANCES, together
from benchmarks.table import ROOT, Row, at_least, duration
from tests.harness.postgres import PostgresServer

DBOS, ABSURD = "3.4.0", "0.5.1"
SQLITE = "pysqlite3-binary"  # a newer SQLite than some Pythons have: see ``with_dbos``
ENVIRONMENT = ROOT / "benchmarks" / ".peers" / f"python-{platform.python_version()}-dbos-{DBOS}-absurd-{ABSURD}"

STEPS = 300
WORKFLOWS, AT_ONCE, STEPS = 200, 50, 5  # that many steps in each
CHILDREN = 1000


def environment() -> str:
    """The Python of a virtual environment with the peers, of these versions; made if there is none."""
    python = ENVIRONMENT / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    done = ENVIRONMENT / "installed"
    if not done.exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        packages = f"dbos=={DBOS}", SQLITE, f"absurd-sdk=={ABSURD}", f"absurdctl=={ABSURD}"
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        done.touch()
    return str(python)


def step(count: int) -> float:
    """Seconds of a step of a sequential instance."""

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        done, seconds, _cpu = await runtime.run(programs.steps, count, instance_id="sequence")
        return float(seconds / done)

    return float(on_sqlite("full", measure))


def workflow(count: int, at_once: int, steps: int) -> float:
    """Seconds for each of so many instances, some at a time."""

    async def some(runtime: DurableRuntime, client: int) -> None:
        for number in range(count // at_once):
            await runtime.run(programs.steps, steps, instance_id=f"{client}.{number}")

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(some(runtime, client) for client in range(at_once)))
        return (time.perf_counter() - begun) / count

    return float(on_sqlite("full", measure))


def gather(kind: str, count: int) -> float:
    """Seconds of an instance with so many steps in a gather."""

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        begun = time.perf_counter()
        assert await runtime.run(programs.family, kind, count, instance_id="family") == count
        return time.perf_counter() - begun

    return float(on_sqlite("full", measure))


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    python = environment()

    def row(limit: float, what: str, measure: Any, *arguments: Any) -> Row:
        theirs = partial(call, python, "benchmarks.with_dbos", measure.__name__, *arguments)
        pair = in_turns(runs, partial(apart, measure, *arguments), theirs)
        return at_least(limit, f"dbos {DBOS}, WAL, synchronous full: {what}, times faster", str(pair), pair.times_faster)

    yield row(8, "a step of a sequential workflow", step, STEPS)
    yield row(20, f"a workflow of {STEPS} steps, {AT_ONCE} at a time", workflow, WORKFLOWS, AT_ONCE, STEPS)
    yield row(20, f"a gather of {CHILDREN:,} steps that wait", gather, "waiting", CHILDREN)
    yield row(20, f"a gather of {CHILDREN:,} steps that do not wait", gather, "instant", CHILDREN)
    yield from rates(runs, python)


def rates(runs: int, python: str) -> Iterator[Row]:
    """Of all on one PostgreSQL server, each in databases of its own, with one process and with two."""
    server = PostgresServer()
    try:
        for peer, module in ((f"dbos {DBOS}", "benchmarks.with_dbos"), (f"absurd {ABSURD}", "benchmarks.with_absurd")):
            for processes in (1, 2):
                pairs = [
                    (together(_new_database(server), processes), together(_new_database(server), processes, python, module))
                    for _ in range(runs)
                ]
                ours, theirs = (
                    [statistics.median(values) for values in zip(*found, strict=True)] for found in zip(*pairs, strict=True)
                )
                measured = "; ".join(
                    f"{starts:,.0f} / {steps:,.0f} / {events:,.0f}, {duration(cpu)}"
                    for starts, steps, events, cpu in (ours, theirs)
                )
                what = f"{peer}, PostgreSQL, {INSTANCES} workflows in each of {processes} processes, ours and theirs"
                times = statistics.median(one[1] / other[1] for one, other in pairs)
                yield Row(
                    f"{what}: starts / steps / events per second, processor time of a step; steps, times more",
                    measured,
                    times,
                    "",
                    None,
                )
    finally:
        server.remove()


def _new_database(server: PostgresServer) -> str:
    name = f"peers_{secrets.token_hex(4)}"
    server.execute(f"CREATE DATABASE {name}")
    return server.url(name)
