"""10 MB in the variables of one task, which do not change: what they add to each checkpoint."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.measuring import Pair, apart
from benchmarks.ours import DurableRuntime, on_sqlite, programs
from benchmarks.table import Row, at_most, size

LEAVES = 1000
MOST = 5.0  # seconds for them; the rest is extrapolated
STATES = {
    "bytes": "bytes",
    "str": "a str",
    "dicts": "a list of 100,000 small dicts",
}
CHANGEABLE = ("dicts",)  # that nobody has changed them is not known without looking


def state_of(kind: str) -> Any:
    """10 MB of that kind, which nothing else holds."""
    if kind == "bytes":
        return os.urandom(10_000_000)
    if kind == "str":
        return os.urandom(5_000_000).hex()
    if kind == "dicts":
        return [{"id": number, "name": f"number {number}", "price": number / 8} for number in range(100_000)]
    return b""


def seconds(kind: str) -> list[float]:
    """For each leaf, and how many were measured."""

    async def measure(runtime: DurableRuntime, _: Path) -> Any:
        return await runtime.run(programs.beside_state, partial(state_of, kind), LEAVES, MOST, instance_id="large")

    _, (done, seconds, _cpu) = on_sqlite("full", measure)
    return [seconds / done, done]


def bytes_written(kind: str) -> float:
    """To the log of SQLite, for each leaf. It writes only pages that have changed, if a row is as long as before."""

    async def measure(runtime: DurableRuntime, file: Path) -> Any:
        reader = sqlite3.connect(file, isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM instance").fetchall()  # as long as it reads, the log grows and does not begin anew
        make, written = partial(state_of, kind), partial(os.path.getsize, f"{file}-wal")
        _, each = await runtime.run(programs.written_beside_state, make, LEAVES, MOST, written, instance_id="large")
        reader.close()
        return each

    return float(on_sqlite("full", measure))


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    for kind, meaning in STATES.items():
        what = f"{LEAVES:,} leaves beside {meaning}, 10 MB, / without"
        ours, other, measured = [], [], LEAVES
        for _ in range(runs):
            each, measured = apart(seconds, kind)
            ours.append(each * LEAVES)
            other.append(apart(seconds, "none")[0] * LEAVES)
        pair = Pair(tuple(ours), tuple(other))
        note = f" ({measured:.0f} leaves in {MOST:g} s, the rest extrapolated)" if measured < LEAVES else ""
        yield Row(f"{what}: time", f"{pair}{note}", pair.ratio, "", None)
        # what is written does not depend on what else the machine does
        count, base = apart(bytes_written, kind), apart(bytes_written, "none")
        what = f"{what}: bytes written for each leaf"
        both, ratio = f"{size(count)} / {size(base)}", count / base
        yield Row(what, both, ratio, "", None) if kind in CHANGEABLE else at_most(1.1, what, both, ratio)
