"""Sessions at a terminal, as pages show them, run as they stand there.

A line that begins with ``$`` is a command, the lines below it are what it prints; ``...`` stands for anything. What the page
kills (``timeout -s KILL 3 ...``) is killed with SIGKILL when it has printed what the page shows and come to rest, not by the
clock; what it printed last may be printed again by the next run, if that began before the checkpoint behind it. ``... &`` runs
beside what follows, and is waited for until it has printed what is shown; ``kill -9 %1`` kills it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.docs.pages import ROOT, Block

PATIENCE = 60.0  # seconds, for one command
REST, LONGEST = 0.2, 1.0  # seconds in which nothing is written; how long that is waited for
HOME = "/home/ann"  # where the pages say that their reader is
_KILL = re.compile(r"timeout -s KILL \S+ ")


class Session:
    """A terminal in ``folder``; ``instead``: what stands for texts of the page, such as the address of a server."""

    def __init__(self, folder: Path, instead: Mapping[str, str]) -> None:
        self.folder = folder
        self._instead = instead
        self._commands = 0
        self._beside: list[subprocess.Popen[bytes]] = []
        self._last: list[str] = []  # what was printed when it was killed
        tools = folder / ".tools"
        tools.mkdir()
        for name in ("python", "python3"):
            (tools / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')  # a link would not find its packages
            (tools / name).chmod(0o755)
        path = os.pathsep.join((str(tools), str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        self._environment.pop("DURABLE_STORE", None)

    def write(self, block: Block) -> None:
        """A file of the page."""
        file = self.folder / block.title
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._put(block.text))

    def run(self, block: Block) -> None:
        """The commands of a block; each prints what is shown."""
        for command, shown in commands(block):
            self._run(self._put(command), [self._put(line) for line in shown])

    def close(self) -> None:
        """End what runs beside."""
        for process in self._beside:
            _kill(process, signal.SIGKILL)

    def _put(self, text: str) -> str:
        for old, new in self._instead.items():
            text = text.replace(old, new)
        return text

    def _run(self, command: str, shown: list[str]) -> None:
        if command.startswith("export "):
            name, _, value = command.removeprefix("export ").partition("=")
            self._environment[name] = value.strip("'\"")
        elif killed := re.fullmatch(r"kill (-9 )?%1", command):
            process = self._beside.pop(0)
            _kill(process, signal.SIGKILL if killed[1] else signal.SIGTERM)
        else:
            self._begin(command, shown)

    def _begin(self, command: str, shown: list[str]) -> None:
        self._commands += 1
        log = self.folder / ".tools" / f"{self._commands}"
        is_killed, is_beside = bool(_KILL.match(command)), command.endswith(" &")
        words = _KILL.sub("", command).removesuffix(" &")
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", words], cwd=self.folder, env=self._environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self._beside.append(process)
        if is_killed or is_beside:
            self._wait_until_shown(process, log, command, [line for line in shown if line != "Killed"])
        if is_killed:
            self._let_rest()
            _kill(process, signal.SIGKILL)
            self._last = self._printed(log)[1:]
        if not is_beside:
            process.wait(PATIENCE)
            self._beside.remove(process)
        if not is_killed and not is_beside:
            printed = self._without_last(self._printed(log), shown)
            assert _fits(shown, printed), f"{command}\n--- the page shows\n{_joined(shown)}\n--- it printed\n{_joined(printed)}"

    def _wait_until_shown(self, process: subprocess.Popen[bytes], log: Path, command: str, shown: list[str]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not _fits([*shown, "..."], printed := self._printed(log)):
            assert process.poll() is None, f"{command} has ended\n--- it printed\n{_joined(printed)}"
            assert time.monotonic() < deadline, f"{command}\n--- the page shows\n{_joined(shown)}\n--- so far\n{_joined(printed)}"
            time.sleep(0.02)

    def _let_rest(self) -> None:
        """Until the program has come to its next wait."""
        end = time.monotonic() + LONGEST
        seen, since = None, time.monotonic()
        while time.monotonic() < min(end, since + REST):
            times = {path: _changed(path) for path in self.folder.rglob("*")}
            if times != seen:
                seen, since = times, time.monotonic()
            time.sleep(0.02)

    def _without_last(self, printed: list[str], shown: list[str]) -> list[str]:
        """Without lines that the run which was killed had printed last, and that ran again."""
        for count in range(1, len(self._last) + 1):
            again = [*printed[:1], *printed[1 + count :]]
            if printed[1 : 1 + count] == self._last[-count:] and _fits(shown, again):
                return again
        return printed

    def _printed(self, log: Path) -> list[str]:
        return log.read_text(errors="replace").replace(str(self.folder), HOME).splitlines()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:  # since the folder was read
        return 0


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command of a session, with what is shown below it."""
    command, shown = "", list[str]()
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = re.sub(r"  # .*", "", line[2:]), []
        else:
            shown.append(line)
    yield command, shown


def _fits(shown: list[str], printed: list[str]) -> bool:
    pattern = "".join(r"(?:.*\n)*" if line.strip() == "..." else _pattern(line) for line in shown)
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed)) is not None


def _pattern(line: str) -> str:
    return ".*".join(re.escape(part) for part in line.rstrip().split("...")) + r"\n"


def _joined(lines: list[str]) -> str:
    return "\n".join(lines)


def _kill(process: subprocess.Popen[bytes], number: int) -> None:
    """A command with all that it has begun."""
    if process.poll() is None:
        os.killpg(process.pid, number)
    process.wait(PATIENCE)
