"""Servers as processes of their own: apps under uvicorn, met over HTTP, killed and started again on the same port."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path
from typing import Any

import httpx

from tests.harness.processes import PATIENCE, Desk, Running

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


class Server:
    """An app of `examples/`, such as `servers.bank:app`, or of another folder, on a port of its own; `start` begins it."""

    def __init__(self, desk: Desk, app: str, folder: Path = EXAMPLES, **variables: str) -> None:
        self._desk, self._app, self._folder, self._variables = desk, app, folder, variables
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE)
        self.running: Running | None = None

    def start(self) -> Server:
        """Begin, and wait until it answers."""
        command = [
            sys.executable, "-m", "uvicorn", "--app-dir", str(self._folder), self._app, "--port", str(self._port),
            "--timeout-graceful-shutdown", "5",
        ]  # fmt: skip
        self.running = self._desk.start_command(command, **self._variables)
        self.running.wait_until(self._answers)
        return self

    def _answers(self) -> bool:
        try:
            return self.http.get("/openapi.json").is_success
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL."""
        assert self.running is not None
        self.running.stop()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON under a path."""
        return self.http.get(path, params=parameters).raise_for_status().json()

    def until(self, path: str, **expected: Any) -> Any:
        """The JSON under a path, once it has these values."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.get(path)
            if answer | expected == answer:
                return answer
            assert time.monotonic() < deadline, f"waited in vain for {expected}: {answer}"
            time.sleep(0.02)
