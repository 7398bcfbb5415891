"""The workflows of ``benchmarks.stores`` written for absurd, run by the Python of an environment that has it."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import psycopg
from absurd_sdk import AsyncAbsurd, AsyncTaskContext
from absurdctl import BUNDLED_SCHEMA_SQL

AT_ONCE = 32  # tasks of a worker
POLL = 0.01  # seconds; 0.25 by default


def _prepared(url: str) -> None:
    """Make the schema, by whichever process is first."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(1)")
        if not connection.execute("SELECT FROM pg_namespace WHERE nspname = 'absurd'").fetchall():
            connection.execute(BUNDLED_SCHEMA_SQL.encode())


def working(url: str, name: str, count: int, step_count: int) -> list[float]:
    """See ``stores.working``."""
    _prepared(url)
    return asyncio.run(_work(url, f"q{name}", count, step_count))


async def _work(url: str, queue: str, count: int, step_count: int) -> list[float]:
    client, serving = AsyncAbsurd(url, queue_name=queue), AsyncAbsurd(url, queue_name=queue)
    await client.create_queue()

    async def instant(value: int) -> int:
        return value

    @serving.register_task("steps")
    async def steps(parameters: Any, context: AsyncTaskContext) -> Any:
        for number in range(parameters["count"]):
            await context.step(f"step {number}", lambda number=number: instant(number))

    @serving.register_task("wait_and_add")
    async def wait_and_add(parameters: Any, context: AsyncTaskContext) -> Any:
        return parameters["number"] + await context.await_event(f"go {parameters['number']}")

    async def spawn(name: str, parameters: Any) -> str:
        return str((await client.spawn(name, parameters, queue=queue))["task_id"])

    async def end(tasks: list[str]) -> None:
        for task in tasks:
            while (found := await client.fetch_task_result(task)) is None or found.state not in ("completed", "failed"):
                await asyncio.sleep(POLL)
            assert found.state == "completed"

    worker = asyncio.create_task(serving.start_worker(concurrency=AT_ONCE, poll_interval=POLL))
    await end([await spawn("steps", {"count": 5})])
    begun = time.perf_counter()
    waiting = await asyncio.gather(*(spawn("wait_and_add", {"number": number}) for number in range(count)))
    starts = count / (time.perf_counter() - begun)
    begun = time.perf_counter()
    await asyncio.gather(*(client.emit_event(f"go {number}", 1) for number in range(count)))
    await end(waiting)
    events = count / (time.perf_counter() - begun)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    await end(await asyncio.gather(*(spawn("steps", {"count": step_count}) for _ in range(count))))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - begun_cpu
    serving.stop_worker()
    await worker
    await client.close()
    await serving.close()
    return [starts, count * step_count / seconds, events, cpu / (count * step_count)]
