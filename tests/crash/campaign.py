"""Kills of workers that share a store, as many as are wanted: nothing is lost, and no committed effect happens twice.

    python -m tests.crash.campaign --kills 10000
    python -m tests.crash.campaign --kills 10000 --store postgresql://...

Each worker runs what there is of a few hundred instances; a worker that was killed is replaced. An instance has effects that are
noted in a file, and effects that are rows of a table, which are committed with its checkpoints.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from durable_import.stores.state import InstanceQuery
from tests.harness.crash import environment
from tests.harness.store_processes import full

WORKERS, INSTANCES, STEPS = 3, 40, 8  # of a round
KILLS_OF_A_ROUND = 25
PATIENCE = 180.0  # seconds for the rest of a round, which only end what hangs

FLOWS = """
# durable: on
import asyncio
from durable_import import current_instance, current_runtime
from effects import note, write

async def work(count):
    name = current_instance().id
    for number in range(count):
        await note(name, number)
        async with current_runtime().transaction() as connection:
            await write(connection, name, number)
    return count
"""
EFFECTS = """
import asyncio, inspect, os

async def note(name, number):
    descriptor = os.open("effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{name} {number}\\n".encode())
    os.close(descriptor)
    await asyncio.sleep(0.005)

async def write(connection, name, number):
    done = connection.execute(f"INSERT INTO campaign_row VALUES ('{name}', {number})")
    if inspect.isawaitable(done):
        await done
"""
WORKER = """
import asyncio, sys
import durable_import
durable_import.install()
from durable_import import DurableRuntime
import flows

async def main():
    url, prefix, count, steps = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    async with DurableRuntime(url, key=bytes(32), poll_interval=0.1, lease_seconds=2.0) as runtime:
        await runtime.recover()
        print("begun", flush=True)
        for number in range(count):
            await runtime.start(flows.work, steps, instance_id=f"{prefix}{number}")
        await asyncio.Event().wait()

asyncio.run(main())
"""
TABLE = "CREATE TABLE IF NOT EXISTS campaign_row (name text, number integer)"


@dataclass
class Counts:
    """What a campaign has seen; ``repeated`` are effects that were under way when their process was killed."""

    kills: int = 0
    instances: int = 0
    effects: int = 0
    repeated: int = 0


class Campaign:
    """Rounds over one store, in a folder."""

    def __init__(self, url: str, folder: Path, seed: int = 1) -> None:
        self.counts = Counts()
        self._url = url
        self._folder = folder
        self._moments = random.Random(seed)
        self._rounds = 0
        for name, text in (("flows.py", FLOWS), ("effects.py", EFFECTS), ("worker.py", WORKER)):
            (folder / name).write_text(text.lstrip())

    async def go(self, kills: int) -> Counts:
        """Kill until there were so many."""
        while self.counts.kills < kills:
            await self.one_round(min(KILLS_OF_A_ROUND, kills - self.counts.kills))
        return self.counts

    async def one_round(self, kills: int) -> None:
        """Kill some workers, let the others come to the end, and look at what they did."""
        self._rounds += 1
        prefix = f"r{self._rounds}-"
        workers = [self._start(prefix) for _ in range(WORKERS)]
        try:
            for _ in range(kills):
                which = self._moments.randrange(WORKERS)
                assert workers[which].stdout is not None
                workers[which].stdout.readline()  # type: ignore[union-attr]
                await asyncio.sleep(self._moments.uniform(0.0, 0.15))
                assert workers[which].poll() is None, "a worker has ended by itself"
                workers[which].send_signal(signal.SIGKILL)
                workers[which].communicate()
                workers[which] = self._start(prefix)
                self.counts.kills += 1
            await self._until_ended(prefix)
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()
        self._check(prefix)

    def _start(self, prefix: str) -> subprocess.Popen[str]:
        command = [sys.executable, "worker.py", self._url, prefix, str(INSTANCES), str(STEPS)]
        with (self._folder / "log").open("a") as log:
            return subprocess.Popen(command, cwd=self._folder, env=environment(), stdout=subprocess.PIPE, stderr=log, text=True)

    async def _until_ended(self, prefix: str) -> None:
        store, deadline = full(self._url), time.monotonic() + PATIENCE
        try:
            while True:
                page = await store.list(InstanceQuery(prefix=prefix, limit=INSTANCES))
                statuses = [each.status for each in page.instances]
                if statuses == ["completed"] * INSTANCES:
                    return
                assert time.monotonic() < deadline, f"{prefix}: {statuses}"
                await asyncio.sleep(0.1)
        finally:
            await store.close()

    def _check(self, prefix: str) -> None:
        """That each instance has gone through its steps in turn: who begins one has committed the one before it."""
        wanted = list(range(STEPS))
        seen: defaultdict[str, list[int]] = defaultdict(list)
        for line in (self._folder / "effects").read_text().splitlines():
            name, number = line.split()
            if name.startswith(prefix):
                seen[name].append(int(number))
        assert len(seen) == INSTANCES, f"lost: {INSTANCES - len(seen)} instances"
        for name, numbers in seen.items():
            assert numbers == sorted(numbers), f"{name}: a committed effect happened again: {numbers}"
            assert sorted(set(numbers)) == wanted, f"{name}: effects are lost: {numbers}"
            self.counts.repeated += len(numbers) - STEPS
        rows = sorted(rows_of(self._url, prefix))
        assert rows == sorted((name, number) for name in seen for number in wanted), f"rows: {len(rows)}"
        self.counts.instances += INSTANCES
        self.counts.effects += INSTANCES * STEPS


def rows_of(url: str, prefix: str = "") -> list[tuple[str, int]]:
    """The rows of the instances whose names begin so; the table is made if it is not there."""
    query = f"SELECT name, number FROM campaign_row WHERE name LIKE '{prefix}%'"
    if url.startswith("sqlite"):
        import sqlite3
        from contextlib import closing

        with closing(sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0], timeout=60)) as database, database:
            database.execute(TABLE)
            return database.execute(query).fetchall()
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE)
        return connection.execute(query.encode()).fetchall()


async def campaign(url: str, folder: Path, kills: int, seed: int = 1) -> Counts:
    """So many kills of processes over a store."""
    store = full(url)
    await store.close()
    rows_of(url)
    return await Campaign(url, folder, seed).go(kills)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign", description="Kill workers that share a store.")
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument("--store", help="the URL of an empty store; without one a new SQLite file is used")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.store or f"sqlite:///{folder}/state.db?shared=yes"
        print(asyncio.run(campaign(url, Path(folder), arguments.kills, arguments.seed)))


if __name__ == "__main__":
    main()
