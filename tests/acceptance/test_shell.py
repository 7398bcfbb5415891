"""The commands as processes: in a terminal, in a pipe, followed while instances run, and completed by a shell."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from durable_import.cli.parser import commands_of
from tests.harness.crash import environment
from tests.harness.imports import REPOSITORY
from tests.harness.processes import PATIENCE, Desk

DURABLE = [sys.executable, "-m", "durable_import"]
WAITS = """
    # durable: on
    import asyncio
    from durable_import import wait_for_event

    async def main():
        words = ["[bold]pen", "cup\\x1b[31m"]
        print("asks", flush=True)
        await wait_for_event("approval")

    asyncio.run(main())
"""


class Terminal:
    """A process in a terminal of its own; ``text`` is what it has written there."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.text = ""
        size = {"COLUMNS": "120", "LINES": "40", "TERM": "xterm"}
        self.pid, self._end = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(command[0], command, environment(**size))

    def read_until(self, *words: str) -> None:
        """Read until it has written all these, or has ended; no words: until it has ended."""
        deadline = time.monotonic() + PATIENCE
        while not words or any(word not in self.text for word in words):
            assert time.monotonic() < deadline, self.text
            if select.select([self._end], [], [], 1.0)[0]:
                try:
                    data = os.read(self._end, 65536)
                except OSError:  # it has ended
                    return
                if not data:
                    return
                self.text += data.decode()

    def write(self, text: str) -> None:
        os.write(self._end, text.encode())

    def end(self) -> int:
        """Its exit status."""
        self.read_until()
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self._end)
        return status


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """A script that waits, and was left."""
    desk.write("waits.py", WAITS)
    assert desk.run("--exit-on-wait", "--instance", "mine", "waits.py").status == 75
    return desk


def test_a_terminal_and_a_pipe(waiting: Desk) -> None:
    """Colours are for a terminal, in a pipe there are plain lines; nothing that an instance has does anything there."""
    for words in (["list"], ["show", "mine"]):
        plain = waiting.start_command([*DURABLE, *words]).end()
        assert (plain.status, "\x1b" in plain.out, "waiting" in plain.out) == (0, False, True), plain
        terminal = Terminal([*DURABLE, *words], waiting.folder)
        assert terminal.end() == 0
        assert "\x1b[" in terminal.text
        assert "\x1b[31mpen" not in terminal.text
        assert {"list": "mine", "show": "'[bold]pen', 'cup\\x1b[31m'"}[words[0]] in terminal.text
        assert "waiting" in terminal.text


@pytest.mark.slow
def test_watch(waiting: Desk) -> None:
    """In a pipe a line for each change, until the instance has ended; a terminal is drawn again, and left as it was by Ctrl-C."""
    lines = waiting.start_command([*DURABLE, "watch", "mine", "--every", "0.05"])
    documents = waiting.start_command([*DURABLE, "watch", "mine", "--every", "0.05", "--json"])
    lines.wait_for("mine  waiting")
    documents.wait_for('"waiting"')
    terminal = Terminal([*DURABLE, "watch", "--every", "0.05"], waiting.folder)
    terminal.read_until("1 waiting", "mine")
    terminal.write("\x03")
    assert terminal.end() == 128 + signal.SIGINT
    assert "\x1b[?25h" in terminal.text[-20:], terminal.text[-300:]  # the cursor is there again
    handle = waiting.start_command([*DURABLE, "cancel", "mine"]).end()
    assert handle.status == 0
    waiting.start("--instance", "mine", "waits.py")
    ended = lines.end()
    assert (ended.status, ended.out.splitlines()[-1].split()[2:4]) == (0, ["mine", "cancelled"]), ended
    assert [json.loads(line)["status"] for line in documents.end().out.splitlines()][-1] == "cancelled"


@pytest.mark.slow
def test_a_reader_that_has_enough(waiting: Desk) -> None:
    """``| head`` gets what it wants, and nobody complains."""
    command = f"{' '.join(DURABLE)} list --json | head -n 1"
    done = waiting.start_command(["bash", "-c", f"set -o pipefail; {command}"]).end()
    assert (done.out, done.err, done.said) == ("{\n", "", ""), done


def test_the_entry_point() -> None:
    """The command ``durable`` is what ``python -m durable_import`` runs."""
    [place] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"].items()
    assert place == ("durable", "durable_import.__main__:main")
    module, _, name = place[1].partition(":")
    assert getattr(import_module(module), name) is import_module("durable_import.cli.main").main


@pytest.mark.parametrize(
    ("line", "told"),
    [("durable li", "list"), ("durable list --status s", "sleeping stuck"), ("durable doctor --", "--store --json --help")],
)
def test_completion(line: str, told: str) -> None:
    """Bash completes commands, options and values; other shells have all commands."""
    script = subprocess.run([*DURABLE, "completion", "bash"], capture_output=True, text=True, check=True).stdout
    words = line.split(" ")
    asked = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _durable; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", f"{script}\n{asked}"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == told, done
    fish = subprocess.run([*DURABLE, "completion", "fish"], capture_output=True, text=True, check=True).stdout
    assert all(f"-a {command} " in fish for command in commands_of())
