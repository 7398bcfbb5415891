"""Many processes look after the same instances, and are killed and stopped at random."""

from __future__ import annotations

import random
import secrets
import signal
import sqlite3
import sys
import time
from collections import defaultdict
from contextlib import closing

import pytest

from tests.harness.processes import Desk, Running

pytestmark = pytest.mark.slow

JOBS = """
    # durable: on
    import asyncio

    import world_of_jobs
    from durable_import import wait_for_event

    async def job(number):
        total = 0
        for step in range(3):
            total += await world_of_jobs.effect(number, step)
        if number % 5 == 0:
            await asyncio.sleep(0.2)
        elif number % 5 == 1:
            total += await wait_for_event("more")
        elif number % 5 == 2:
            total += sum(await asyncio.gather(*(world_of_jobs.effect(number, step) for step in (3, 4))))
        await world_of_jobs.effect(number, "last")
        return total
"""

WORLD = """
    import asyncio
    import os

    LOG = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    async def effect(number, step):
        os.write(LOG, f"{number} {step} {os.getpid()}\\n".encode())
        await asyncio.sleep(0.3)
        return number
"""

BEGIN = """
    import asyncio
    import os
    import signal
    import sys

    import durable_import
    durable_import.install()

    import jobs
    from durable_import import DurableRuntime

    async def main(url, count):
        async with DurableRuntime(url) as runtime:
            for number in range(count):
                await runtime.start(jobs.job, number, instance_id=f"job {number}")
                if number % 5 == 1 and number % 2:
                    await runtime.publish_event(f"job {number}", "more", 1000)
            os.kill(os.getpid(), signal.SIGKILL)

    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""

WORK = """
    import asyncio
    import logging
    import sys

    import durable_import
    durable_import.install()
    logging.basicConfig(level="INFO", format="%(levelname)s %(instance_id)s %(message)s")
    logging.getLogger("asyncio").setLevel("ERROR")

    from durable_import import DurableRuntime

    async def main(url, lease_seconds):
        async with DurableRuntime(url, lease_seconds=lease_seconds, poll_interval=0.05, evict_after=0.1) as runtime:
            await runtime.recover()
            await asyncio.sleep(3600)

    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
"""

ASK = """
    import asyncio
    import sys

    import durable_import
    durable_import.install()

    from durable_import import DurableRuntime

    async def main(url, count):
        async with DurableRuntime(url, evict_after=0) as runtime:
            for number in range(count):
                if number % 5 == 1 and not number % 2:
                    await runtime.publish_event(f"job {number}", "more", 1000)
            results = [await runtime.handle(f"job {number}").result(timeout=120) for number in range(count)]
        extra = {1: lambda n: 1000, 2: lambda n: 2 * n}
        expected = [3 * n + extra.get(n % 5, lambda n: 0)(n) for n in range(count)]
        assert results == expected, (results, expected)
        print("all as expected")

    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


@pytest.fixture
def jobs(desk: Desk) -> Desk:
    """A folder with jobs, and with programs that begin them, work on them, and ask for their results."""
    for name, text in [("jobs", JOBS), ("world_of_jobs", WORLD), ("begin", BEGIN), ("work", WORK), ("ask", ASK)]:
        desk.write(f"{name}.py", text)
    return desk


URL = "sqlite:///jobs.db?synchronous=normal"


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, desk: Desk) -> str:
    """Of a store that many processes share."""
    if request.param == "sqlite":
        return URL
    desk.variables["DURABLE_KEY"] = "00" * 32
    shared: str = request.getfixturevalue("postgres_server").url(schema=f"s{secrets.token_hex(8)}")
    return shared


def begin_jobs(desk: Desk, url: str, count: int) -> None:
    begun = desk.start_command([sys.executable, "begin.py", url, str(count)])
    assert begun.end().status == -signal.SIGKILL, begun.err


def start_worker(desk: Desk, url: str, lease_seconds: float = 30.0) -> Running:
    """What a killed one held is taken over at once; what a stopped one holds, when its lease has run out."""
    return desk.start_command([sys.executable, "work.py", url, str(lease_seconds)])


def effects(desk: Desk) -> dict[str, list[int]]:
    """The processes that did each effect, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    for line in (desk.folder / "log").read_text().splitlines():
        what, _, process = line.rpartition(" ")
        found[what].append(int(process))
    return found


def states(desk: Desk) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(desk.folder / "jobs.db")) as connection:
        return connection.execute("SELECT * FROM instance ORDER BY instance_id").fetchall()


def expected_effects(count: int) -> set[str]:
    steps = [f"{n} {step}" for n in range(count) for step in (0, 1, 2, "last")]
    return {*steps, *(f"{n} {step}" for n in range(2, count, 5) for step in (3, 4))}


def check(desk: Desk, count: int, interrupted: set[int], asking: Running) -> None:
    """All results are right, and an effect was done again only because who did it before was killed or stopped."""
    ended = asking.end()
    assert (ended.status, ended.out) == (0, "all as expected\n"), ended.err
    done = effects(desk)
    assert done.keys() == expected_effects(count)
    twice = {what: processes for what, processes in done.items() if not set(processes[:-1]) <= interrupted}
    assert not twice, twice
    again = sum(len(processes) - 1 for processes in done.values())
    assert again <= len(interrupted) * count, again


@pytest.mark.parametrize("workers", [2, 8])
def test_processes_that_are_killed(jobs: Desk, workers: int, url: str) -> None:
    """Every instance ends once, with its result, whoever is killed in the meantime; nothing is done twice beyond the kills."""
    count = 500
    chance = random.Random(workers)
    begin_jobs(jobs, url, count)
    killed = {jobs.started[-1].process.pid}
    running = [start_worker(jobs, url) for _ in range(workers)]
    asking = jobs.start_command([sys.executable, "ask.py", url, str(count)])
    for _ in range(6 if workers == 2 else 16):
        time.sleep(chance.uniform(0.1, 0.6))
        if asking.process.poll() is not None:
            break
        victim = running.pop(chance.randrange(len(running)))
        killed.add(victim.process.pid)
        victim.stop()
        running.append(start_worker(jobs, url))
    check(jobs, count, killed, asking)
    assert len(killed) > 3


def test_process_that_was_stopped_is_fenced_off(jobs: Desk) -> None:
    """One that stands still past its leases and then goes on commits nothing: its successors' states stay."""
    url = URL
    count = 300
    begin_jobs(jobs, url, count)
    interrupted = {jobs.started[-1].process.pid}
    stopped = start_worker(jobs, url, 1.5)
    own = f" {stopped.process.pid}\n"
    stopped.wait_until(lambda: jobs.folder.joinpath("log").read_text().count(own) > 50)
    jobs.stop_outside_a_commit(stopped, jobs.folder / "jobs.db")
    interrupted.add(stopped.process.pid)
    start_worker(jobs, url)
    asking = jobs.start_command([sys.executable, "ask.py", url, str(count)])
    check(jobs, count, interrupted, asking)
    before = states(jobs)
    stopped.send(signal.SIGCONT)
    stopped.wait_until(lambda: "was taken over" in stopped.err)
    time.sleep(0.5)
    assert stopped.process.poll() is None
    assert states(jobs) == before
