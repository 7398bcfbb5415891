"""The workflows of ``benchmarks.peers`` written for dbos, run by the Python of an environment that has it."""

from __future__ import annotations

import asyncio
import importlib
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dbos import DBOS, DBOSConfig

# from Python 3.12 on, dbos asks for a function that SQLite has since 3.42, whichever comes with Python
SQLITE = sqlite3 if sqlite3.sqlite_version_info >= (3, 42) else importlib.import_module("pysqlite3")


@DBOS.step()
async def instant(value: int) -> int:
    return value


@DBOS.step()
async def waiting(value: int) -> int:
    await asyncio.sleep(0)
    return value


@DBOS.step()
def blocking(value: int) -> int:
    return value


@DBOS.workflow()
async def steps(count: int) -> float:
    """Gives the seconds of a step."""
    begun = time.perf_counter()
    for number in range(count):
        await instant(number)
    return (time.perf_counter() - begun) / count


@DBOS.workflow()
def blocking_steps(count: int) -> float:
    """The same by the API for threads."""
    begun = time.perf_counter()
    for number in range(count):
        blocking(number)
    return (time.perf_counter() - begun) / count


@DBOS.workflow()
async def family(kind: str, count: int) -> int:
    """That many steps in a gather."""
    child = waiting if kind == "waiting" else instant
    return len(await asyncio.gather(*(child(number) for number in range(count))))


@DBOS.workflow()
async def wait_and_add(number: int) -> int:
    """Waits for a message."""
    return number + int(await DBOS.recv_async("go", 600))


def working(url: str, name: str, count: int, step_count: int) -> list[float]:
    """See ``stores.working``."""

    async def run() -> list[float]:
        await (await DBOS.start_workflow_async(steps, 5)).get_result()
        begun = time.perf_counter()
        handles = await asyncio.gather(*(DBOS.start_workflow_async(wait_and_add, number) for number in range(count)))
        starts = count / (time.perf_counter() - begun)
        begun = time.perf_counter()
        await asyncio.gather(*(DBOS.send_async(handle.workflow_id, 1, "go") for handle in handles))
        await asyncio.gather(*(handle.get_result() for handle in handles))
        events = count / (time.perf_counter() - begun)
        begun, begun_cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(steps(step_count) for _ in range(count)))
        seconds, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
        return [starts, count * step_count / seconds, events, cpu / (count * step_count)]

    config: DBOSConfig = {
        "name": "benchmark", "log_level": "ERROR", "enable_otlp": False, "system_database_url": url, "executor_id": name,
    }  # fmt: skip
    DBOS(config=config)
    DBOS.launch()
    try:
        return asyncio.run(run())
    finally:
        DBOS.destroy()


def on_sqlite(measure: Callable[[], Awaitable[Any]]) -> Any:
    """What ``measure`` gives, with dbos on a new database in write-ahead mode: by default it would sync more files for each
    commit. ``synchronous`` is SQLite's default, FULL."""

    async def run() -> Any:
        await (await DBOS.start_workflow_async(steps, 20)).get_result()
        return await measure()

    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(f"{folder}/state.db")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
        config: DBOSConfig = {
            "name": "benchmark", "log_level": "ERROR", "enable_otlp": False, "system_database_url": f"sqlite:///{folder}/state.db",
            "db_engine_kwargs": {"module": SQLITE},
        }  # fmt: skip
        DBOS(config=config)
        DBOS.launch()
        try:
            return asyncio.run(run())
        finally:
            DBOS.destroy()


def step(count: int) -> float:
    """Seconds of a step, by the API that is faster."""

    async def measure() -> float:
        in_loop = await (await DBOS.start_workflow_async(steps, count)).get_result()
        return min(in_loop, await asyncio.to_thread(blocking_steps, count))

    return float(on_sqlite(measure))


def workflow(count: int, at_once: int, step_count: int) -> float:
    """Seconds for each of so many workflows, some at a time, by the API that is faster."""

    async def some(number: int) -> None:
        for _ in range(number):
            await steps(step_count)

    async def measure() -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(some(count // at_once) for _ in range(at_once)))
        in_loop = time.perf_counter() - begun
        begun = time.perf_counter()
        with ThreadPoolExecutor(at_once) as threads:
            list(threads.map(blocking_steps, [step_count] * count))
        in_threads = time.perf_counter() - begun
        return min(in_loop, in_threads) / count

    return float(on_sqlite(measure))


def gather(kind: str, count: int) -> float:
    """Seconds of a workflow with so many steps in a gather."""

    async def measure() -> float:
        begun = time.perf_counter()
        assert await family(kind, count) == count
        return time.perf_counter() - begun

    return float(on_sqlite(measure))
