"""Runs programs in one Python version, and goes on with their snapshots in another; see ``Worker``.

The worker process reads one job a line and writes one answer a line, both JSON. ``{"program": path, "places": n}`` runs a
program to its end and answers with its result, natively and durably, and the snapshots of ``n`` places on its way; with
``"snapshots"`` it goes on from each of these and answers with the results. A program has a process of its own, and so has each
snapshot: neither module-level state nor what is registered of a module gets from one to another.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import contextvars
import gc
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import traceback
import types
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.harness.interpreters import REPOSITORY

START = 1_700_000_000.0  # seconds since 1970: when every program begins by its own clock
LIMIT = 20  # seconds for a program: one that takes longer hangs
Answer = dict[str, Any]


class Worker:
    """A process of another Python that runs programs."""

    def __init__(self, executable: str) -> None:
        environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": "7"}
        command = [executable, "-W", "ignore", "-m", __name__]
        self._process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def begin(self, job: dict[str, Any]) -> None:
        """Give it a job; workers that have got theirs run at once."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What the job gave."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()


def load_program(path: Path) -> types.ModuleType:
    """A program as a rewritten module whose name does not depend on the process."""
    from durable_import.hook.code_table import register_module
    from durable_import.rewrite.compiler import compile_module

    name = f"crossing_{path.stem}"
    module = sys.modules[name] = types.ModuleType(name)
    module.__file__ = str(path)
    rewritten = compile_module(path.read_bytes(), str(path), name)
    register_module(name, str(path), path.read_bytes(), rewritten)
    exec(rewritten.code, module.__dict__)
    return module


def run(module: types.ModuleType, places: int) -> Answer:
    """Run a program from its beginning."""
    from tests.harness.torture import native

    expected = in_process_of_its_own(lambda: quiet(native, Path(str(module.__file__)).read_text(), module.__file__))
    driver, result = _driven(module, None)
    kept = driver.snapshots
    chosen = sorted({round(n * (len(kept) - 1) / max(places - 1, 1)) for n in range(places)})
    return {"native": expected, "result": result, "snapshots": [kept[n] for n in chosen]}


def go_on(module: types.ModuleType, snapshot: dict[str, Any]) -> Answer:
    """Run a program from a snapshot."""
    return {"result": _driven(module, snapshot)[1]}


def _driven(module: types.ModuleType, snapshot: dict[str, Any] | None) -> tuple[Any, str]:
    driven: tuple[Any, str] = quiet(contextvars.copy_context().run, asyncio.run, _drive(module, snapshot))
    return driven


def quiet(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function; what it prints is not shown."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments)


async def _drive(module: types.ModuleType, snapshot: dict[str, Any] | None) -> tuple[Any, str]:
    from durable_import.frames import ambient
    from durable_import.snapshot.encoder import Encoder
    from durable_import.snapshot.module_data.modules import ScriptData
    from tests.harness.torture import TortureDriver

    class Keeping(TortureDriver):
        """Keeps the snapshots, each with the time by the instance's clock; nothing is replaced."""

        every = sys.maxsize
        snapshots: list[dict[str, Any]]

        def keep(self, checkpoint: Any) -> None:
            super().keep(checkpoint)
            data = base64.b64encode(checkpoint.saved.payload).decode()
            self.snapshots.append({"now": self.now, "data": data})

        def _idle(self) -> Any:
            loop = self.loop
            if loop.next_deadline() is None and not loop.in_flight and not loop.has_new_timer:
                raise RuntimeError("the instance waits for what nothing will bring about")
            return super()._idle()

    encoder = Encoder("crossing", ScriptData.of(module.__name__))
    if snapshot is None:
        instance, number = module.main(), -1
    else:
        instance, number = (await encoder.reopen(base64.b64decode(snapshot["data"]))).loop, 1
    driver = Keeping(instance, encoder, None, number)
    driver.is_strict = False  # some programs held nothing when they were saved, by an earlier release
    driver.snapshots = []
    driver.now = START if snapshot is None else snapshot["now"]
    driver._set_clock()  # before it goes on: deadlines are moved by what has passed since
    ambient.switch_on(driver)
    try:
        await driver.enter_again()
        return driver, repr(await driver)
    finally:
        ambient.ON.remove(driver)


def perform(job: dict[str, Any]) -> Any:
    """One job: an answer, or one for each snapshot."""
    module = load_program(Path(job["program"]))
    if "snapshots" not in job:
        return run(module, job["places"])
    prepare([module.__name__])
    return [in_process_of_its_own(partial(go_on, module, snapshot)) for snapshot in job["snapshots"]]


def prepare(names: list[str]) -> None:
    """Do once what the first restored frame of a module does: all copies of this process have it then."""
    from durable_import.hook.code_table import MODULES

    for name in names:
        MODULES[name].rewriting()


def in_process_of_its_own(work: Callable[[], Any], limit: int = LIMIT) -> Any:
    """What ``work`` gives in a copy of this process; ``{"error": ...}`` if it raises or dies."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer_and_exit(work, writing, limit)
    os.close(writing)
    with open(reading) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if text else {"error": f"the process ended with status {os.waitstatus_to_exitcode(status)}"}


def _answer_and_exit(work: Callable[[], Any], writing: int, limit: int) -> None:
    signal.alarm(limit)  # which ends it
    try:
        answer = work()
    except BaseException as error:  # whatever it is: the table shows it
        answer = {"error": "".join(traceback.format_exception(error))}
    with open(writing, "w") as pipe:
        pipe.write(json.dumps(answer))
    os._exit(0)


def main() -> None:
    """Answer jobs until there are no more."""
    import durable_import  # noqa: F401  (provides what rewritten code calls)
    from durable_import.aio.standard import NAMES, make_asyncio_durable
    from tests.harness import torture  # noqa: F401  (loaded once for all)

    make_asyncio_durable()
    prepare(list(NAMES))
    gc.freeze()  # or the copies would copy all of it
    sys.path.insert(0, str(REPOSITORY / "tests" / "programs"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for line in sys.stdin:
            job = json.loads(line)
            limit = LIMIT * (1 + len(job.get("snapshots", ())))
            print(json.dumps(in_process_of_its_own(partial(perform, job), limit)), flush=True)


if __name__ == "__main__":
    from tests.harness import crossing  # under the name that others know it by

    crossing.main()
