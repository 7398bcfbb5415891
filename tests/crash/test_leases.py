"""Leases of real processes: that run out of descriptors, stand still, or keep their database for longer than a lease."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from durable_import.running.keeper import Keeper
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.testing.contract.store import to_do
from tests.harness.store_processes import line_of

FLOWS = """
# durable: on
import asyncio
from effects import Held, note
from durable_import import current_runtime

async def steps(count, pause):
    for number in range(count):
        await note(f"step {number}")
        await asyncio.sleep(pause)

async def held(count, pause):
    async with Held():
        for number in range(count):
            await note(f"held {number}")
            await asyncio.sleep(pause)

async def transfers(count, pause):
    for number in range(count):
        async with current_runtime().transaction() as connection:
            for part in range(3):
                connection.execute("CREATE TABLE IF NOT EXISTS transfer (number, part)")
                connection.execute("INSERT INTO transfer VALUES (?, ?)", (number, part))
                await note(f"transfer {number} {part}")
                await asyncio.sleep(pause)
        await note(f"behind {number}")
"""
EFFECTS = """
import os

async def note(what):
    descriptor = os.open("effects", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{what} {os.getpid()}\\n".encode())
    os.close(descriptor)

class Held:
    def __reduce__(self):
        raise TypeError("it is open")
    async def __aenter__(self):
        return self
    async def __aexit__(self, *details):
        pass
"""
SCRIPT = """
import asyncio, os, sys
import durable_import
durable_import.install()
from durable_import import DurableRuntime
import flows


def say(*words): print(*words, flush=True)

async def main():
    name, count, pause, lease = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    async with DurableRuntime("sqlite:///state.db", lease_seconds=lease, poll_interval=0.05) as runtime:
        handle = await runtime.start(getattr(flows, name), count, pause, instance_id=name)
        say("started")
        while await handle.status() not in ("completed", "failed"):
            await asyncio.sleep(0.05)
        say(await handle.status())
"""


@contextmanager
def running(
    folder: Path, flow: str, count: int, pause: float, lease: float, script: str = SCRIPT
) -> Iterator[subprocess.Popen[str]]:
    """A process that runs an instance of a flow; it has said that it has started."""
    for name, text in (("flows.py", FLOWS), ("effects.py", EFFECTS), ("script.py", script + "\nasyncio.run(main())\n")):
        (folder / name).write_text(text.lstrip())
    command = [sys.executable, "script.py", flow, str(count), str(pause), str(lease)]
    child = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
    try:
        assert line_of(child) == "started"
        yield child
    finally:
        child.kill()
        child.communicate()


def effects(folder: Path) -> list[str]:
    """What was done, each with the process that did it."""
    file = folder / "effects"
    return file.read_text().splitlines() if file.exists() else []


async def until_done(folder: Path, count: int) -> None:
    """Wait for so many effects."""
    async with asyncio.timeout(60):
        while len(effects(folder)) < count:
            await asyncio.sleep(0.01)


EXHAUSTED = SCRIPT.replace(
    "    name, count",
    """
    import resource, threading
    def exhaust():
        sys.stdin.readline()
        used = [os.open("/dev/null", os.O_RDONLY)]
        limit = max(map(int, os.listdir("/proc/self/fd"))) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        try:
            while True:
                used.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            say("exhausted")
        sys.stdin.readline()
        for descriptor in used:
            os.close(descriptor)
        say("free")
    threading.Thread(target=exhaust, daemon=True).start()
    name, count""",
)


@pytest.mark.slow
async def test_a_process_without_descriptors_keeps_its_lease(tmp_path: Path) -> None:
    """Renewals need none; nobody takes it for dead meanwhile, and it goes on when there are some."""
    with running(tmp_path, "held", 2, 2.0, 0.4, EXHAUSTED) as child:
        await until_done(tmp_path, 1)
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
        assert line_of(child) == "exhausted"
        store = SQLiteStore(str(tmp_path / "state.db"))
        watcher = Keeper(store, 0.4)
        await watcher.ownership()
        await asyncio.sleep(0.9)
        assert await to_do(store) == []
        child.stdin.write("\n")
        child.stdin.flush()
        assert line_of(child) == "free"
        assert line_of(child) == "completed"
        await watcher.close()
        await store.close()
    assert [line.rpartition(" ")[0] for line in effects(tmp_path)] == [f"held {number}" for number in range(2)]


@pytest.mark.slow
async def test_who_comes_back_begins_no_step(tmp_path: Path) -> None:
    """A process that stood still beyond its lease finds that its instance goes on elsewhere, also where nothing is committed."""
    with running(tmp_path, "held", 50, 0.05, 0.5) as zombie:
        await until_done(tmp_path, 5)
        stop(zombie, tmp_path)
        before = len(effects(tmp_path))
        store = SQLiteStore(str(tmp_path / "state.db"))
        watcher = Keeper(store, 0.5)
        await until_buried(watcher, store)
        await watcher.begin("held", None, b"")
        zombie.send_signal(signal.SIGCONT)
        await asyncio.sleep(1.0)
        done = effects(tmp_path)
        assert len(done) <= before + 1, "what was under way may have ended"
        await watcher.close()
        await store.close()


def stop(child: subprocess.Popen[str], folder: Path) -> None:
    """Let a process stand still at a moment when it does not have the lock of the database."""
    while True:
        child.send_signal(signal.SIGSTOP)
        with closing(sqlite3.connect(folder / "state.db", timeout=0.2, isolation_level=None)) as db:
            try:
                db.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                child.send_signal(signal.SIGCONT)
                time.sleep(0.01)
            else:
                db.execute("ROLLBACK")
                return


async def until_buried(watcher: Keeper, store: SQLiteStore) -> None:
    """Wait until there is no owner but the one who watches."""
    own = await watcher.ownership()
    async with asyncio.timeout(60):
        while any(row.id != own.number for row in await asyncio.to_thread(store.owners)):
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_transaction_may_last_longer_than_a_lease(tmp_path: Path) -> None:
    """It has the only lock for those who write, so nobody can renew and nobody can bury: its own steps go on."""
    with running(tmp_path, "transfers", 2, 0.4, 0.5) as child:
        store = SQLiteStore(str(tmp_path / "state.db"))
        watcher = Keeper(store, 0.5)
        await until_done(tmp_path, 1)
        watching = asyncio.create_task(watcher.ownership())
        assert await asyncio.to_thread(line_of, child) == "completed"
        await watching
        await watcher.close()
        await store.close()
    parts = [f"transfer {number} {part}" for number in range(2) for part in range(3)]
    expected = [*parts[:3], "behind 0", *parts[3:], "behind 1"]
    assert [line.rpartition(" ")[0] for line in effects(tmp_path)] == expected


async def test_what_a_killed_process_had_is_free_at_once(tmp_path: Path) -> None:
    """However long its lease is: who asks for the instance has it looked at, and has it."""
    with running(tmp_path, "steps", 100, 0.05, 3600.0) as child:
        await until_done(tmp_path, 3)
        child.kill()
        child.wait()
        store = SQLiteStore(str(tmp_path / "state.db"))
        keeper = Keeper(store, 3600.0)
        async with asyncio.timeout(20):
            begun, _ = await keeper.begin("steps", None, b"")
        assert (begun.is_new, begun.attempts) == (False, 1)
        await keeper.close()
        await store.close()


RUN = """
import asyncio, sys
import durable_import
durable_import.install()
from durable_import import DurableRuntime
import flows

async def main():
    name, count, pause, lease = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    async with DurableRuntime("sqlite:///state.db", lease_seconds=lease, poll_interval=0.05) as runtime:
        print("started", flush=True)
        await runtime.run(getattr(flows, name), count, pause, instance_id=name)
        print("has run", flush=True)
"""


@pytest.mark.slow
async def test_who_has_asked_for_it_to_run_goes_on_with_it(tmp_path: Path) -> None:
    """A process that waits in ``run`` for an instance of another one has it when that is killed, also if it recovers nothing."""
    with running(tmp_path, "steps", 40, 0.05, 3600.0) as child, running(tmp_path, "steps", 40, 0.05, 3600.0, RUN) as other:
        await until_done(tmp_path, 8)
        child.kill()
        child.wait()
        async with asyncio.timeout(60):
            assert await asyncio.to_thread(line_of, other) == "has run"
    done = [line.rpartition(" ") for line in effects(tmp_path)]
    assert {what for what, _, _ in done} == {f"step {number}" for number in range(40)}
    assert len(done) <= 41
    assert done[-1][2] == str(other.pid)
