"""Kills of workers that share a store, as many as are wanted: nothing is lost, and no committed effect happens twice.

    python -m tests.crash.campaign --kills 10000
    python -m tests.crash.campaign --kills 10000 --store postgresql
    python -m tests.crash.campaign --kills 10000 --store postgresql://...

Each worker starts a few instances, and asks for those of the one before it; a worker that was killed is replaced at once, so
there is always something under way. An instance has effects that are noted in a file, and effects that are rows of a table, which
are committed with its checkpoints. Nobody but the campaign may end a worker: see ``crew``.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from durable_import.stores.state import InstanceQuery
from tests.crash.crew import Crew
from tests.harness.postgres import PostgresServer
from tests.harness.store_processes import full

WORKERS, STEPS = 4, 8  # at once; of an instance
KILLS_OF_A_ROUND = 100
EARLY = 0.2  # the part of the kills that do not wait until a worker has begun
LONGEST_LIFE = 0.15  # seconds from there
PATIENCE = 180.0  # seconds for the rest of a round, which only end what hangs

FLOWS = """
# durable: on
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
WORKER = f"""
import asyncio
import durable_import
durable_import.install()
from durable_import import DurableRuntime, StoreUnavailableError
import flows

async def main(say, url, prefix, number):
    async def patiently(ask):
        while True:
            try:
                return await ask()
            except StoreUnavailableError:  # on a machine that is busy enough a lock can last for longer than a store waits
                say("away")

    async with DurableRuntime(url, key=bytes(32), poll_interval=0.1, lease_seconds=2.0) as runtime:
        await patiently(runtime.recover)
        say("begun")
        for life in (number, number - 1):
            for name in (f"{{prefix}}{{life}}-{{each}}" for each in range(4)):
                await patiently(lambda: runtime.start(flows.work, {STEPS}, instance_id=name))
                say(f"started {{name}}")
        await asyncio.Event().wait()

def live(say, url, prefix, number):
    asyncio.run(main(say, url, prefix, int(number)))
"""
TABLE = "CREATE TABLE IF NOT EXISTS campaign_row (name text, number integer)"


@dataclass
class Counts:
    """What a campaign has seen; ``repeated`` are effects that were under way when their process was killed; ``away``: how
    often a worker asked the store again, which had not answered in time."""

    kills: int = 0
    instances: int = 0
    effects: int = 0
    repeated: int = 0
    away: int = 0


class Campaign:
    """Rounds over one store, in a folder."""

    def __init__(self, url: str, folder: Path, crew: Crew, seed: int = 1) -> None:
        self.counts = Counts()
        self._url = url
        self._folder = folder
        self._crew = crew
        self._moments = random.Random(seed)
        self._rounds = self._lives = self._read = 0

    async def go(self, kills: int) -> Counts:
        """Kill until there were so many."""
        while self.counts.kills < kills:
            await self.one_round(min(KILLS_OF_A_ROUND, kills - self.counts.kills))
            logging.getLogger(__name__).info("%s", self.counts)
        return self.counts

    async def one_round(self, kills: int) -> None:
        """Kill workers, let the last ones come to the end, and look at what all of them did."""
        self._rounds += 1
        self._crew.started.clear()
        prefix, each = f"r{self._rounds}-", Counter(number % WORKERS for number in range(kills))
        last = await self._crew.watch(*(self._replaced(prefix, each[place]) for place in range(WORKERS)))
        await self._crew.watch(self._until_ended(prefix))
        for number in last:
            await self._crew.kill(number)
        self._check(prefix)

    async def _replaced(self, prefix: str, kills: int) -> int:
        """One worker after the other, of which all but the last are killed; gives that."""
        for left in range(kills, -1, -1):
            self._lives += 1
            number = self._lives
            self._crew.live(number, self._url, prefix, str(number))
            if not left:
                break
            if self._moments.random() >= EARLY:
                await self._crew.begun(number)
            await asyncio.sleep(self._moments.uniform(0.0, LONGEST_LIFE))
            await self._crew.kill(number)
            self.counts.kills += 1
        return number

    async def _until_ended(self, prefix: str) -> None:
        store, deadline = full(self._url), time.monotonic() + PATIENCE
        try:
            while True:
                counted = await store.count(InstanceQuery(prefix=prefix), "status")
                if counted.keys() == {"completed"} and counted["completed"] >= len(self._crew.started):
                    return
                assert time.monotonic() < deadline, f"{prefix}: {counted}"
                await asyncio.sleep(0.1)
        finally:
            await store.close()

    def _check(self, prefix: str) -> None:
        """That each instance has gone through its steps in turn: who begins one has committed the one before it."""
        wanted = list(range(STEPS))
        seen: defaultdict[str, list[int]] = defaultdict(list)
        with (self._folder / "effects").open() as effects:
            effects.seek(self._read)
            for line in iter(effects.readline, ""):
                name, number = line.split()
                seen[name].append(int(number))
            self._read = effects.tell()
        lost = self._crew.started - set(seen)
        assert not lost, f"lost: {lost}"
        for name, numbers in seen.items():
            assert name.startswith(prefix), f"{name}: it goes on in round {prefix}"
            assert numbers == sorted(numbers), f"{name}: a committed effect happened again: {numbers}"
            assert sorted(set(numbers)) == wanted, f"{name}: effects are lost: {numbers}"
            self.counts.repeated += len(numbers) - STEPS
        rows = sorted(rows_of(self._url, prefix))
        assert rows == sorted((name, number) for name in seen for number in wanted), f"rows: {len(rows)}"
        self.counts.away = self._crew.away
        self.counts.instances += len(seen)
        self.counts.effects += len(seen) * STEPS


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
    for name, text in (("flows.py", FLOWS), ("effects.py", EFFECTS), ("worker.py", WORKER)):
        (folder / name).write_text(text.lstrip())
    async with Crew(folder) as crew:
        return await Campaign(url, folder, crew, seed).go(kills)


@contextmanager
def _store(told: str | None, folder: str) -> Iterator[str]:
    if told == "postgresql":
        server = PostgresServer()
        try:
            yield server.url()
        finally:
            server.remove()
    else:
        yield told or f"sqlite:///{folder}/state.db?shared=yes"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.campaign", description="Kill workers that share a store.")
    parser.add_argument("--kills", type=int, default=10_000)
    parser.add_argument(
        "--store", help="the URL of an empty store; 'postgresql': one in a new server; without it a new SQLite file is used"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by a way on which servers and workers are stopped
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    with tempfile.TemporaryDirectory() as folder, _store(arguments.store, folder) as url:
        print(asyncio.run(campaign(url, Path(folder), arguments.kills, arguments.seed)), flush=True)


if __name__ == "__main__":
    main()
