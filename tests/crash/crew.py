"""Workers of a campaign of kills: forks of one process that has imported all they need, so that another one costs little.

What a worker does is ``live(say, *arguments)`` in a module ``worker`` of the campaign's folder; each has a log of its own, which
is told when it ends otherwise than by a kill that was asked for.

This module is also that process (``python -m tests.crash.crew``). It is told ``live NUMBER ARGUMENTS``, a word for each, and
``kill NUMBER``, by lines; it tells ``NUMBER ended STATUS``, and what workers say: ``NUMBER begun``, ``NUMBER started NAME``,
``NUMBER away``.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import select
import signal
import sys
import traceback
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from tests.harness.crash import environment

T = TypeVar("T")

TOLD = 6000  # characters of a log
KILLED = -signal.SIGKILL


class Crew:
    """``async with`` this: in the end all workers are killed. ``started``: what they have said that they have; ``away``: how
    often they had to ask the store again."""

    def __init__(self, folder: Path) -> None:
        self.started: set[str] = set()
        self.away = 0
        self._folder = folder
        self._begun: dict[int, asyncio.Event] = {}
        self._ended: dict[int, asyncio.Future[None]] = {}  # of those that were asked to end

    async def __aenter__(self) -> Crew:
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with (self._folder / "log").open("ab") as log:
            self._parent = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.crash.crew"),
                cwd=self._folder,
                env=environment(),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._reading.cancel()
        assert self._parent.stdin is not None
        self._parent.stdin.close()  # then it kills them, and ends
        await self._parent.wait()
        if self._failed.done():
            self._failed.exception()

    def live(self, number: int, *arguments: str) -> None:
        """Let there be one more."""
        self._begun[number] = asyncio.Event()
        self._tell("live", str(number), *arguments)

    async def begun(self, number: int) -> None:
        """Return when it says that it has."""
        await self._begun[number].wait()

    async def kill(self, number: int) -> None:
        """Return when it is dead."""
        self._ended[number] = asyncio.get_running_loop().create_future()
        self._tell("kill", str(number))
        await self._ended[number]
        del self._begun[number], self._ended[number]

    async def watch(self, *works: Coroutine[Any, Any, T]) -> list[T]:
        """What the works give. Raises AssertionError when a worker ends by itself meanwhile."""
        working = asyncio.gather(*works)
        await asyncio.wait(list[asyncio.Future[Any]]([working, self._failed]), return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            working.cancel()
            self._failed.result()
        return await working

    def _tell(self, *words: str) -> None:
        assert self._parent.stdin is not None
        self._parent.stdin.write((" ".join(words) + "\n").encode())

    async def _read(self) -> None:
        try:
            await self._read_all()
        except Exception as error:
            self._fail(f"what workers say cannot be read: {error!r}")
            raise

    async def _read_all(self) -> None:
        assert self._parent.stdout is not None
        while line := await self._parent.stdout.readline():
            number, what, *words = line.decode().split()
            if what == "begun":
                self._begun[int(number)].set()
            elif what == "started":
                self.started.update(words)
            elif what == "away":
                self.away += 1
            elif int(number) in self._ended and int(words[0]) == KILLED:
                log_of(self._folder, number).unlink(missing_ok=True)  # it may have been too early
                self._ended[int(number)].set_result(None)
            else:
                log = log_of(self._folder, number).read_text()[-TOLD:] if log_of(self._folder, number).exists() else ""
                self._fail(f"worker {number} has ended by itself, with status {words[0]}; its log ends so:\n{log}")
        self._fail(f"the workers' parent has ended:\n{(self._folder / 'log').read_text()[-TOLD:]}")

    def _fail(self, why: str) -> None:
        if not self._failed.done():
            self._failed.set_exception(AssertionError(why))


def log_of(folder: Path, number: str) -> Path:
    return folder / f"log-{number}"


class Parent:
    """In a process of its own: makes and kills workers as it is told."""

    def __init__(self, live: Callable[..., None]) -> None:
        self._live = live
        self._workers: dict[str, int] = {}  # the processes, by number
        self._woken, wake = os.pipe()
        os.set_blocking(wake, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def serve(self) -> None:
        """Do what is told by lines, until there are no more."""
        rest = b""
        while True:
            ready, _, _ = select.select([0, self._woken], [], [])
            if self._woken in ready:
                os.read(self._woken, 4096)
                self._reap()
            if 0 in ready:
                read = os.read(0, 65536)
                if not read:
                    break
                *lines, rest = (rest + read).split(b"\n")
                for line in lines:
                    self._obey(*line.decode().split())
        for process in self._workers.values():
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)

    def _obey(self, what: str, number: str, *arguments: str) -> None:
        if what == "live":
            self._workers[number] = os.fork()
            if not self._workers[number]:
                self._be_worker(number, arguments)
        elif number in self._workers:  # else it has ended by itself, and that was told
            os.kill(self._workers[number], signal.SIGKILL)

    def _reap(self) -> None:
        for number, process in list(self._workers.items()):
            ended, status = os.waitpid(process, os.WNOHANG)
            if ended:
                del self._workers[number]
                say(number, f"ended {os.waitstatus_to_exitcode(status)}")

    def _be_worker(self, number: str, arguments: tuple[str, ...]) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        status = 1
        try:
            told = os.dup(1)
            log = os.open(log_of(Path(), number), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for descriptor, place in ((nothing, 0), (log, 1), (log, 2)):
                os.dup2(descriptor, place)
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
            self._live(lambda text: say(number, text, told), *arguments)
            status = 0
        except BaseException:  # whatever it is, it is told
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)


def say(number: str, text: str, descriptor: int = 1) -> None:
    """A line, in one piece."""
    os.write(descriptor, f"{number} {text}\n".encode())


def main() -> None:
    live = importlib.import_module("worker").live
    gc.freeze()  # what is here before the forks stays shared by them
    Parent(live).serve()


if __name__ == "__main__":
    main()
