"""10 MB in the variables of one task, which do not change: what they add to each checkpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measuring import Pair, apart
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.states import LARGE
from benchmarks.table import Row, at_most, size

STEPS = 1000
MOST = 5.0  # seconds for them; the rest is extrapolated
CHANGEABLE = ("dicts",)  # that nobody has changed them is not known without looking


def step(kind: str) -> list[float]:
    """Seconds of one, and how many were measured."""

    async def measure(runtime: DurableRuntime, _: Path) -> Any:
        return await runtime.run(programs.beside_state, kind, STEPS, MOST, instance_id="large")

    done, seconds, *_ = on_sqlite("full", measure)
    return [seconds / done, done]


def bytes_written(kind: str) -> float:
    """To the log of SQLite, for each step. It writes only pages that have changed, if a row is as long as before."""

    async def measure(runtime: DurableRuntime, file: Path) -> Any:
        reader = sqlite3.connect(file, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM durable_state").fetchall()  # as long as it reads, the log grows and does not begin again
        log = f"{file}-wal"
        each, _ = await runtime.run(programs.written_beside_state, kind, STEPS, MOST, log, instance_id="large")
        reader.close()
        return each

    return float(on_sqlite("full", measure))


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    for kind, meaning in LARGE.items():
        what = f"{STEPS:,} steps beside {meaning}, 10 MB, / without"
        ours, other, measured = [], [], STEPS
        for _ in range(runs):
            each, measured = apart(step, kind)
            ours.append(each * STEPS)
            other.append(apart(step, "nothing")[0] * STEPS)
        pair = Pair(tuple(ours), tuple(other))
        note = f" ({measured:.0f} steps in {MOST:g} s, the rest extrapolated)" if measured < STEPS else ""
        yield Row(f"{what}: time", f"{pair}{note}", pair.ratio, "", None)
        # what is written does not depend on what else the machine does
        count, base = apart(bytes_written, kind), apart(bytes_written, "nothing")
        what = f"{what}: bytes written for each step"
        both, ratio = f"{size(count)} / {size(base)}", count / base
        yield Row(what, both, ratio, "", None) if kind in CHANGEABLE else at_most(1.1, what, both, ratio)
