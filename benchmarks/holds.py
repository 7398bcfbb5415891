"""Programs whose blocks hold: what that costs, and what a kill makes run again. It needs what ``.[test]`` installs.

These programs take as long as they wait, so each is measured once, with as many pages and blocks as ``--runs`` says (times a
number of its own): five minutes in all for 5.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import blocks
from benchmarks.measuring import apart, in_turns, killed_every
from benchmarks.natively import natively
from benchmarks.ours import DurableRuntime, programs
from benchmarks.pages import PageServer
from benchmarks.table import Row, at_most, duration
from tests.harness.postgres import PostgresServer

KILL_AFTER = 5.0  # seconds
PAGES = 400  # for each run
TRANSACTIONS = 12  # of each task, for each run
STEPS = {"sleep": ("`sleep(0)`", 5000), "library": ("a library's coroutine", 5000), "thread": ("`to_thread`", 2000)}
MIXES = {  # tasks, seconds of a block, blocks of each task for each run; most blocks that a kill may make run again
    "20 tasks with blocks of 0.2 s": ([(20, 0.2, 12)], 130),
    "20 tasks with blocks of 2 s": ([(20, 2.0, 2)], 130),
    "19 tasks with blocks of 0.2 s, one of 4 s": ([(19, 0.2, 24), (1, 4.0, 1)], 2007),
    "20 tasks with streams of 4 s": ([(20, 4.0, 1)], 130),
}


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    yield from pages(runs * PAGES)
    yield from transactions(runs * TRANSACTIONS)
    for what, (kinds, most) in MIXES.items():
        yield from mix(what, [(tasks, seconds, runs * count) for tasks, seconds, count in kinds], most)
    for kind, (what, count) in STEPS.items():
        yield held_step(runs, kind, what, count)


def live(folder: str, name: str, *arguments: Any) -> list[float]:
    """What a program of ``benchmarks.held`` gives, as the instance ``held`` of a store in a folder; the most blocks that were at
    risk, and how many commits were seen."""
    from benchmarks import held

    logging.getLogger("durable_import").setLevel(logging.ERROR)  # that it is held is known
    database = Path(folder) / "state.db"

    async def run() -> float:
        async with DurableRuntime(f"sqlite:///{database}") as runtime:
            await runtime.run(programs.steps, 20, instance_id=f"{time.time()}: the first instance rewrites asyncio")
            blocks.at_risk = blocks.AtRisk(database)
            print("goes on", flush=True)
            return float(await runtime.run(getattr(held, name), *arguments, instance_id="held"))

    return [asyncio.run(run()), blocks.at_risk.most, blocks.at_risk.commits]


def seconds(name: str, *arguments: Any) -> float:
    """What a program gives that nobody kills."""
    with tempfile.TemporaryDirectory() as folder:
        return float(apart(live, folder, name, *arguments)[0])


def pages(count: int) -> Iterator[Row]:
    """Fetched by 20 tasks, each in a block."""
    what = f"20 tasks fetch {count:,} pages of 0.2 s"
    with PageServer() as server:
        begun = server.url, count
        pair = in_turns(1, partial(seconds, "crawl", *begun), partial(apart, natively, "crawl", *begun))
        yield at_most(1.1, f"{what}: ours / native", str(pair), pair.ratio)
    with PageServer() as server, tempfile.TemporaryDirectory() as folder:
        kills = killed_every(KILL_AFTER, live, folder, "crawl", server.url, count)
        again = server.again
        each = again / max(kills, 1)
        what = f"{what}, killed every {KILL_AFTER:.0f} s: answered requests made again for each kill"
        yield Row(what, f"{each:.0f} ({again} / {kills})", None, "<= 40", each <= 40)


def transactions(count: int) -> Iterator[Row]:
    """Of PostgreSQL, in 20 tasks."""
    what = f"20 tasks with {count} transactions of 0.2 s each"
    server = PostgresServer()
    try:
        server.execute("create table made (task text, number int)")
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder) / "log"
            begun = server.url(), count, str(log)
            pair = in_turns(1, partial(seconds, "transfer", *begun), partial(apart, natively, "transfer", *begun))
            yield at_most(1.25, f"{what}: ours / native", str(pair), pair.ratio)
            log.unlink()
            kills = killed_every(KILL_AFTER, live, folder, "transfer", *begun)
            again = [*blocks.made_again(log), 0]
            measured = f"{max(again)} (mean {sum(again) / max(kills, 1):.0f} of {kills})"
            yield Row(f"{what}, killed every {KILL_AFTER:.0f} s: most of them run again by one kill", measured, None,
                      "<= 130", max(again) <= 130)  # fmt: skip
    finally:
        server.remove()


def mix(what: str, kinds: list[tuple[int, float, int]], most: int) -> Iterator[Row]:
    """Blocks of several lengths beside each other."""
    with tempfile.TemporaryDirectory() as folder:
        ours, at_risk, commits = apart(live, folder, "mix", kinds)
    pair = in_turns(1, lambda: float(ours), partial(apart, natively, "mix", kinds))
    yield at_most(1.25, f"{what}: ours / native", str(pair), pair.ratio)
    measured = f"{at_risk} ({commits} commits seen)"
    yield Row(f"{what}: most of them that one kill makes run again", measured, None, f"<= {most:,}", at_risk <= most)


def held_step(runs: int, kind: str, what: str, count: int) -> Row:
    """How much longer one takes than natively."""
    step = "held_steps", kind, count
    pair = in_turns(runs, partial(seconds, *step), partial(apart, natively, *step))
    more = statistics.median(ours - other for ours, other in zip(pair.ours, pair.other, strict=True))
    return Row(f"a held step, {what}: more than natively", f"{duration(more)} ({pair})", None, "<= 15 us", more <= 15e-6)
