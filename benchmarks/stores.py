"""Stores as they grow: what a look costs beside many instances, what a lease costs, how much two processes do together, and how
usable the event loop stays while thousands of instances begin.
"""

from __future__ import annotations

import asyncio
import gc
import secrets
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.measuring import apart, call, medians, processor_seconds
from benchmarks.ours import DurableRuntime, on_sqlite, programs, waiters
from benchmarks.table import Row, at_most, duration
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import InstanceQuery
from tests.harness.postgres import PostgresServer

FEW, MANY = 1_000, 100_000  # instances of each of three kinds
IN_FLIGHT, STEPS_IN_FLIGHT = 32, 100
MOST_OF_WORKER, MOST_OF_SERVER = 0.25e-3, 0.05e-3  # processor seconds of a step
WORKFLOWS, AT_ONCE = 3000, 50
OWNED_FEW, OWNED_MANY = 500, 50_000
TIMES = 20
INSTANCES, STEPS = 200, 10  # of each process
STARTED = 3000
MOST_LAG = 0.02  # seconds

FILL = """
INSERT INTO durable_instance (number, instance_id, function, created_at, shelf, due, ended_at)
WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count})
SELECT n, printf('%s/%07d', CASE n % 3 WHEN 0 THEN 'done' WHEN 1 THEN 'wait' ELSE 'sleep' END, n), 'app:main', {now} - n,
    CASE n % 3 WHEN 0 THEN 3 ELSE 2 END, CASE n % 3 WHEN 2 THEN {now} + 86400 + n END, CASE n % 3 WHEN 0 THEN {now} - 1 END
FROM counted;
INSERT INTO durable_state (number, owner, epoch, status, checkpoint, location, wake_at, updated_at, snapshot)
SELECT
    number, {owner}, number, CASE shelf WHEN 3 THEN 'completed' ELSE 'waiting' END, 7, 'app.py:1 main', due, created_at,
    zeroblob(500)
FROM durable_instance;
INSERT INTO durable_call (number, call) SELECT number, zeroblob(100) FROM durable_instance;
"""
ALL_WAIT = """
UPDATE durable_instance SET shelf = 0, due = NULL, ended_at = NULL;
UPDATE durable_state SET status = 'waiting';
"""


def rows(runs: int) -> Iterator[Row]:
    """See ``benchmarks.__main__``."""
    yield from looks(runs)
    yield from lists(runs)
    yield renewals(runs)
    yield workflows(runs)
    server = PostgresServer()
    try:
        yield from rates(runs, server)
        yield from processors(runs, server)
    finally:
        server.remove()
    yield from lags(runs)


# --- what there is beside


def filled(path: Path, count: int, owner: int | None) -> None:
    """Put so many instances into a database that has its tables."""
    connection = sqlite3.connect(path)
    connection.executescript(FILL.format(count=count, now=time.time(), owner="NULL" if owner is None else owner))
    connection.commit()
    connection.close()


async def looked(count: int) -> dict[str, float]:
    """Seconds of each kind of look at a store with so many instances of each of three kinds, that finds nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        store = SQLiteStore(str(path))
        owner = store.register(Owner.current(), 3600.0)
        filled(path, 3 * count, None)
        kinds: dict[str, Callable[[], Awaitable[Any]]] = {
            "a look for work": lambda: store.claim(owner, secrets.randbits(62) | 1, 250),
            "a list of 50": lambda: store.list(InstanceQuery(limit=50)),
            "a list of 50 by prefix": lambda: store.list(InstanceQuery(limit=50, prefix="wait/")),
            "a look for what is to be cleared away": lambda: store.remove_finished(3600.0),
        }
        found = {}
        for what, look in kinds.items():
            times = []
            for _ in range(TIMES):
                begun = time.perf_counter()
                await look()
                times.append(time.perf_counter() - begun)
            found[what] = statistics.median(times)
        await store.close()
        return found


def looking(count: int) -> dict[str, float]:
    """For another process."""
    return asyncio.run(looked(count))


def looks(runs: int) -> Iterator[Row]:
    """Beside many instances and beside few."""
    found = [(apart(looking, MANY), apart(looking, FEW)) for _ in range(runs)]
    for what in found[0][0]:
        many, few = (statistics.median(each[index][what] for each in found) for index in (0, 1))
        ratio = statistics.median(one[what] / other[what] for one, other in found)
        yield at_most(
            3, f"{what} beside {3 * MANY:,} instances / {3 * FEW:,}, SQLite", f"{duration(many)} / {duration(few)}", ratio
        )


async def listed(count: int) -> dict[str, float]:
    """Seconds of a list of each kind beside so many instances that are owned, and wait."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        store = SQLiteStore(str(path))
        filled(path, count, store.register(Owner.current(), 3600.0))
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.executescript(ALL_WAIT)
        found = {}
        for status in ("running", "waiting", "failed"):
            times = []
            for _ in range(TIMES):
                begun = time.perf_counter()
                await store.list(InstanceQuery(limit=50, status=status))
                times.append(time.perf_counter() - begun)
            found[status] = statistics.median(times)
        await store.close()
        return found


def listing(count: int) -> dict[str, float]:
    """For another process."""
    return asyncio.run(listed(count))


def lists(runs: int) -> Iterator[Row]:
    """By status, beside many instances that are owned and beside few."""
    found = [(apart(listing, OWNED_MANY), apart(listing, OWNED_FEW)) for _ in range(runs)]
    for status in found[0][0]:
        many, few = (statistics.median(each[index][status] for each in found) for index in (0, 1))
        ratio = statistics.median(one[status] / other[status] for one, other in found)
        what = f"a list of 50 that are {status}, beside {OWNED_MANY:,} that are owned / {OWNED_FEW}, SQLite"
        yield at_most(3, what, f"{duration(many)} / {duration(few)}", ratio)


def renewing(count: int) -> float:
    """Seconds of a renewal by a process that owns so many instances."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.db"
        store = SQLiteStore(str(path))
        owner, beat, times = store.register(Owner.current(), 3600.0), 0, []
        filled(path, count, owner)
        [beat] = [each.beat for each in store.owners() if each.id == owner]
        for _ in range(TIMES):
            begun, new = time.perf_counter(), secrets.randbits(62)
            assert store.renew(owner, beat, new, 3600.0)
            times.append(time.perf_counter() - begun)
            beat = new
        asyncio.run(store.close())
        return statistics.median(times)


def renewals(runs: int) -> Row:
    """Of a lease, however much it is for."""
    found = [(apart(renewing, OWNED_MANY), apart(renewing, OWNED_FEW)) for _ in range(runs)]
    many, few = (statistics.median(each) for each in zip(*found, strict=True))
    ratio = statistics.median(one / other for one, other in found)
    measured = f"{duration(many)} / {duration(few)}"
    return at_most(2, f"the renewal of a process that owns {OWNED_MANY:,} instances / {OWNED_FEW}, SQLite", measured, ratio)


# --- how much is done


def working(url: str, name: str, count: int, step_count: int) -> list[float]:
    """Starts, steps and events per second of so many instances at once, and processor time of a step, in seconds."""

    async def work() -> list[float]:
        async with DurableRuntime(url, key=bytes(32)) as runtime:
            await runtime.run(programs.steps, 5, instance_id=f"{name}: the first instance rewrites asyncio")
            begun = time.perf_counter()
            handles = [runtime.start(waiters.wait_and_add, number, instance_id=f"{name}-{number}") for number in range(count)]
            waiting = await asyncio.gather(*handles)
            starts = count / (time.perf_counter() - begun)
            begun = time.perf_counter()
            await asyncio.gather(*(runtime.publish_event(each.id, "go", 1) for each in waiting))
            await asyncio.gather(*(each.result() for each in waiting))
            events = count / (time.perf_counter() - begun)
            begun, begun_cpu = time.perf_counter(), time.process_time()
            runs = (runtime.run(programs.steps, step_count, instance_id=f"{name}+{number}") for number in range(count))
            await asyncio.gather(*runs)
            steps, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
            return [starts, count * step_count / steps, events, cpu / (count * step_count)]

    return asyncio.run(work())


def together(url: str, processes: int, python: str = sys.executable, module: str = __name__) -> list[float]:
    """What so many processes do on one store: per second all together, and the mean processor time of a step. ``module`` has
    ``working``."""

    def one(number: int) -> list[float]:
        found: list[float] = call(python, module, "working", url, f"{secrets.token_hex(4)}-{number}", INSTANCES, STEPS)
        return found

    with ThreadPoolExecutor(processes) as pool:
        found = list(pool.map(one, range(processes)))
    *rates_of, cpu = zip(*found, strict=True)
    return [*map(sum, rates_of), statistics.mean(cpu)]


def rates(runs: int, server: PostgresServer) -> Iterator[Row]:
    """Of both databases, with one process and with two."""
    with tempfile.TemporaryDirectory() as folder:
        for kind, url in {"SQLite": f"sqlite:///{folder}/state.db?synchronous=full", "PostgreSQL": server.url()}.items():
            for processes in (1, 2):
                found = [together(url, processes) for _ in range(runs)]
                starts, steps, events, cpu = (statistics.median(values) for values in zip(*found, strict=True))
                measured = f"{starts:,.0f} / {steps:,.0f} / {events:,.0f}, {duration(cpu)}"
                what = f"{kind}, {INSTANCES} instances in each of {processes} processes"
                target, met = (">= 1,000 starts", starts >= 1000) if kind == "PostgreSQL" and processes == 2 else ("", None)
                yield Row(f"{what}: starts / steps / events per second, processor time of a step", measured, None, target, met)


def stepping(url: str, server: int) -> list[float]:
    """Processor seconds of a step, of this process and of the server, with so many in flight."""

    async def work() -> list[float]:
        async with DurableRuntime(url, key=bytes(32)) as runtime:
            names = [secrets.token_hex(8) for _ in range(IN_FLIGHT)]
            await runtime.run(programs.steps, 5, instance_id=f"{names[0]} rewrites asyncio")
            mine, its = time.process_time(), processor_seconds(server)
            await asyncio.gather(*(runtime.run(programs.steps, STEPS_IN_FLIGHT, instance_id=name) for name in names))
            count = IN_FLIGHT * STEPS_IN_FLIGHT
            return [(time.process_time() - mine) / count, (processor_seconds(server) - its) / count]

    return asyncio.run(work())


def processors(runs: int, server: PostgresServer) -> Iterator[Row]:
    """What a step costs the worker, and what the server."""
    for value, whose, most in zip(
        medians(runs, lambda: apart(stepping, server.url(), server.pid)),
        ("worker", "server"),
        (MOST_OF_WORKER, MOST_OF_SERVER),
        strict=True,
    ):
        what = f"PostgreSQL, {IN_FLIGHT} in flight: processor time of a step, {whose}"
        yield Row(what, duration(value), None, f"<= {duration(most)}", value <= most)


def flowing() -> float:
    """Workflows of one step per second, some at a time."""

    async def some(runtime: DurableRuntime, client: int) -> None:
        for number in range(WORKFLOWS // AT_ONCE):
            await runtime.run(programs.steps, 1, instance_id=f"{client}.{number}")

    async def measure(runtime: DurableRuntime, _: Path) -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(some(runtime, client) for client in range(AT_ONCE)))
        return WORKFLOWS / (time.perf_counter() - begun)

    return float(on_sqlite("full", measure))


def workflows(runs: int) -> Row:
    """Short ones."""
    rate = statistics.median(apart(flowing) for _ in range(runs))
    return Row(f"SQLite, workflows of one step, {AT_ONCE} at a time, per second", f"{rate:,.0f}", None, ">= 3,000", rate >= 3000)


# --- the application's loop


def ticking() -> list[float]:
    """How late a ticker of 1 ms is while many instances begin on SQLite: its median and its worst in a hundred, seconds."""
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, max(old, 1000))

    async def tick(late: list[float]) -> None:
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append(time.perf_counter() - begun - 0.001)

    async def measure(runtime: DurableRuntime, _: Path) -> list[float]:
        late: list[float] = []
        ticker = asyncio.create_task(tick(late))
        await asyncio.gather(*(runtime.start(programs.steps, 1, instance_id=f"i{number}") for number in range(STARTED)))
        ticker.cancel()
        late.sort()
        return [statistics.median(late), late[int(len(late) * 0.99)]]

    found: list[float] = on_sqlite("normal", measure)
    return found


def lags(runs: int) -> Iterator[Row]:
    """Of a ticker."""
    median, worst = (statistics.median(values) for values in zip(*(apart(ticking) for _ in range(runs)), strict=True))
    what = f"a ticker of 1 ms while {STARTED:,} instances start: late by, half of the time / one time in a hundred"
    yield Row(what, f"{duration(median)} / {duration(worst)}", None, "<= 20 ms", worst <= MOST_LAG)
