"""Real processes for the acceptance tests: programs in a folder of their own, run to the end or met on the way."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

from tests.harness.crash import RUN, ahead, environment

PATIENCE = 180.0  # seconds, which only end what hangs: the machine may be busy
OURS = "durable_import: "


@dataclass(frozen=True)
class Finished:
    """How a process ended. ``said`` are our own lines on stderr, ``err`` is the rest of it."""

    status: int
    out: str
    said: str
    err: str

    @classmethod
    def of(cls, status: int, out: str, stderr: str) -> Finished:
        lines = stderr.splitlines(keepends=True)
        ours = [line for line in lines if line.startswith(OURS)]
        return cls(status, out, "".join(ours), "".join(line for line in lines if line not in ours))


class Running:
    """A process under way; what it prints goes to files, which can be looked at any time."""

    def __init__(self, command: list[str], folder: Path, variables: dict[str, str], number: int) -> None:
        self._files = folder / f".out{number}", folder / f".err{number}"
        with self._files[0].open("wb") as out, self._files[1].open("wb") as err:
            self.process = subprocess.Popen(command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    @property
    def out(self) -> str:
        return self._files[0].read_text()

    @property
    def err(self) -> str:
        return self._files[1].read_text()

    def wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait for something that this process does; it must be alive until then."""
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.err}"
            assert time.monotonic() < deadline, f"waited in vain: {self.out} {self.err}"
            time.sleep(0.01)

    def wait_for(self, text: str) -> None:
        """Wait until it has printed this, or said it on stderr."""
        self.wait_until(lambda: text in self.out or text in self.err)

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self) -> Finished:
        """Wait for the end."""
        self.process.wait(PATIENCE)
        return Finished.of(self.process.returncode, self.out, self.err)

    def send_until_the_end(self, number: signal.Signals) -> Finished:
        """Send a signal until it ends the process: while that has not looked at the one before, the two are one."""
        while self.process.poll() is None:
            self.send(number)
            time.sleep(0.2)
        return self.end()

    def end_or_kill(self, seconds: float) -> Finished:
        """Wait for the end so long from the moment on at which an instance begins or goes on, then kill it."""
        self.wait_until(lambda: "ing instance " in self.err)
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
        return self.end()

    def stop(self) -> None:
        """Kill it if it lives."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)


class Desk:
    """A folder with programs and their state. Effects of `world` are logged in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[Running] = []
        self.variables: dict[str, str] = {}  # of the environment of all commands

    def write(self, name: str, text: str) -> Path:
        """Write a program, or write it again."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"))
        return path

    def start(
        self, *arguments: str, kill_at: int | None = None, later: float = 0, variables: dict[str, str] | None = None
    ) -> Running:
        """Begin `python -m durable_import run ARGUMENTS`; `kill_at`: it kills itself in that effect of the log.

        `later`: by how many seconds its clock is ahead.
        """
        more = (ahead(later) if later else {}) | (variables or {})
        return self._start([sys.executable, *RUN, *arguments], kill_at, more)

    def run(
        self, *arguments: str, kill_at: int | None = None, later: float = 0, variables: dict[str, str] | None = None
    ) -> Finished:
        """As `start`, to the end."""
        return self.start(*arguments, kill_at=kill_at, later=later, variables=variables).end()

    def send(self, *arguments: str) -> None:
        """Run `python -m durable_import send ARGUMENTS`; it must succeed, silently."""
        ended = self.start_command([sys.executable, "-m", "durable_import", "send", *arguments]).end()
        assert (ended.status, ended.out, ended.said, ended.err) == (0, "", "", ""), ended

    def native(self, *arguments: str) -> Finished:
        """Run `python ARGUMENTS`."""
        return self.start_command([sys.executable, *arguments]).end()

    def start_command(self, command: list[str], **variables: str) -> Running:
        """Begin any command, with the variables of this desk and more."""
        return self._start(command, None, variables)

    def _start(self, command: list[str], kill_at: int | None, variables: dict[str, str]) -> Running:
        variables = {"EFFECT_LOG": str(self.folder / "effects"), **self.variables, **variables}
        if kill_at is not None:
            variables["KILL_AT"] = str(kill_at)
        running = Running(command, self.folder, environment(**variables), len(self.started))
        self.started.append(running)
        return running

    @property
    def effects(self) -> list[str]:
        log = self.folder / "effects"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def database(self) -> Path:
        return self.folder / ".durable" / "state.db"

    def rows(self, query: str = "SELECT instance_id, status, checkpoint FROM instance ORDER BY 1") -> list[tuple[object, ...]]:
        """What the default store's database answers; it is changed if the query says so."""
        with closing(sqlite3.connect(self.database, timeout=60)) as connection, connection:
            return connection.execute(query).fetchall()

    def instances(self) -> list[tuple[object, ...]]:
        """Id, status and checkpoint of all in the default store, also while its database is just being made."""
        try:
            return self.rows()
        except sqlite3.OperationalError:
            return []

    def statuses(self) -> list[object]:
        """Of all instances in the default store."""
        return [status for _, status, _ in self.instances()]

    def lock_database(self, patience: float = 60.0, database: Path | None = None) -> sqlite3.Connection:
        """Keep all others from writing to a database, that of the default store, until the connection is closed."""
        connection = sqlite3.connect(database or self.database, timeout=patience, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def stop_outside_a_commit(self, running: Running, database: Path | None = None) -> None:
        """SIGSTOP at a moment when the process does not hold the lock of a database, that of the default store."""
        for _ in range(100):
            running.send(signal.SIGSTOP)
            os.waitid(os.P_PID, running.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)  # all threads stand still
            try:
                self.lock_database(0.2, database).close()
            except sqlite3.OperationalError:
                running.send(signal.SIGCONT)
                time.sleep(random.uniform(0.005, 0.05))  # else it would stand where it stood
            else:
                return
        raise AssertionError("it commits all the time")

    def close(self) -> None:
        for running in self.started:
            running.stop()


KILLED = -signal.SIGKILL


def is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True
