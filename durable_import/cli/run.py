"""``run``: a script, or a module, as a durable program. What it prints goes to stdout untouched; we speak on stderr."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import math
import os
import signal
import sys
import threading
import time
import types
from dataclasses import dataclass
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from typing import Any, NoReturn

from ..aio.standard import use_wall_clock
from ..api.runtime import DurableRuntime
from ..errors import DurableError, PauseForEventException, StoreError
from ..hook.install import install
from ..hook.loader import DurableSourceLoader
from ..hook.marker import file_is_marked
from ..pythons.modules import attributes_of_main
from ..pythons.systems import signal_again
from ..stores.base import OwningStore
from ..stores.worker import Worker
from .tracebacks import without_machinery

USAGE, OURS, SUSPENDED = 2, 70, 75  # exit statuses
LONG_WAIT = 1.0  # seconds: shorter sleeps are slept in spite of --exit-on-wait


@dataclass(frozen=True)
class Target:
    """What to run: a path, or a module's name, and the arguments it sees."""

    name: str
    is_module: bool
    arguments: list[str]


@dataclass(frozen=True)
class Program:
    """A program that was found: what plain python would give its ``__main__`` and ``sys``."""

    file: str
    argv0: str
    folder: str  # sys.path[0]
    package: str | None
    spec: ModuleSpec | None


class UsageError(Exception):
    """The command cannot be carried out as given."""


def say(text: str) -> None:
    """One line on stderr."""
    print(f"durable_import: {text}", file=sys.stderr, flush=True)


def run(target: Target, *, store: str, instance_id: str | None, fresh: bool, exit_on_wait: bool = False) -> int:
    """Run a program to its end, or go on with it; gives the exit status."""
    try:
        program = find_program(target)
        session = Session(store, instance_id or default_instance_id(target, program.file))
        if exit_on_wait:
            session.runtime.on_wait = session.exit_for
        asyncio.run(session.check_free())
        if fresh:
            asyncio.run(session.forget())
    except UsageError as error:
        say(str(error))
        return USAGE
    except DurableError as error:
        say(f"error: {error}")
        return OURS
    sys.argv = [program.argv0, *target.arguments]
    sys.path[0] = program.folder
    return session.execute(program)


def find_program(target: Target) -> Program:
    """The program of a command. Raises UsageError when there is none, or when it is not marked."""
    program = _find_module(target.name) if target.is_module else _find_script(target.name)
    if not os.path.isfile(program.file):
        raise UsageError(f"cannot open {program.file!r}: there is no such file")
    if not file_is_marked(program.file):
        raise UsageError(
            f"{program.file} is not marked durable. Put the comment `# durable: on` on its first line, above the imports, "
            "so that its async functions are saved at every await"
        )
    return program


def _find_script(name: str) -> Program:
    path = os.path.join(os.getcwd(), name)  # not normalised: what plain python gives as __file__
    if os.path.isdir(path):
        file = os.path.join(path, "__main__.py")
        return Program(file, name, path, "", ModuleSpec("__main__", SourceFileLoader("__main__", file), origin=file))
    return Program(path, name, os.path.dirname(os.path.realpath(path)), None, None)


def _find_module(name: str) -> Program:
    sys.path.insert(0, os.getcwd())
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(name + ".__main__")
    except (ImportError, ValueError) as error:
        raise UsageError(f"cannot find module {name!r}: {error}") from error
    finally:
        del sys.path[0]
    if spec is None or not spec.origin:
        raise UsageError(f"cannot find module {name!r} (or its __main__)")
    return Program(spec.origin, spec.origin, os.getcwd(), spec.parent, spec)


def default_instance_id(target: Target, path: str) -> str:
    """A name for the run, from the script and its arguments."""
    identity = "\0".join([os.path.realpath(path), *target.arguments])
    name = target.name if target.is_module else Path(path).stem
    return f"{name}-{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"


class Session:
    """One execution of a program: its instances are named ``base``, ``base#2``, ... in the order in which they begin."""

    def __init__(self, store: str, base: str) -> None:
        self.base = base
        self.begun: list[str] = []
        self.runtime = DurableRuntime(store, script="__main__", name_instance=self._next_name, observer=self, patience=0.0)
        self.runtime.dispatcher.takes_work = False

    def _next_name(self) -> str:
        name = self.base if not self.begun else f"{self.base}#{len(self.begun) + 1}"
        self.begun.append(name)
        return name

    # --- what the runtime tells

    def starting(self, instance_id: str) -> None:
        """See ``runtime.Observer``."""
        say(f"starting instance {instance_id}")

    def resuming(self, instance_id: str, state: dict[str, Any]) -> None:
        """See ``runtime.Observer``."""
        again = "retrying" if state["status"] == "failed" else "resuming"
        say(f"{again} instance {instance_id} at {_place(state)} (checkpoint {state['checkpoint']})")

    # --- the program

    def execute(self, program: Program) -> int:
        """Execute the program as ``__main__``; gives the exit status."""
        install()
        module = types.ModuleType("__main__")
        spec = program.spec or ModuleSpec("__main__", None, origin=program.file)
        loader = DurableSourceLoader(spec, SourceFileLoader("__main__", program.file))
        names: dict[str, Any] = module.__dict__
        names.update(attributes_of_main(program.file, program.package, program.spec, loader))
        sys.modules["__main__"] = module
        use_wall_clock()
        self.runtime.activate()
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # as in a background job, which Ctrl-C is not meant for
                signal.signal(number, self._suspend)
        try:
            exec(loader.get_code("__main__"), names)
        except SystemExit as error:
            status = _exit_status(error)
        except PauseForEventException as error:
            say(f"instance {self.base} is waiting for event {error.event!r}")
            return SUSPENDED
        except BaseException as error:
            return self._failed(error)
        else:
            status = 0
        unfinished = self._last_states() if status else []
        self._offer_retry(unfinished)
        if not unfinished:
            self._finished()
        return status

    def _failed(self, error: BaseException) -> int:
        if isinstance(error, DurableError):
            say("\n".join([f"error: {error}", *getattr(error, "__notes__", [])]))
            return OURS
        without_machinery(error)
        sys.excepthook(type(error), error, error.__traceback__)
        self._offer_retry(self._last_states())
        if isinstance(error, KeyboardInterrupt):
            return 130
        return 1

    def _offer_retry(self, unfinished: list[tuple[str, dict[str, Any]]]) -> None:
        for name, state in unfinished:
            say(
                f"instance {name} failed; run the same command again to try again from "
                f"{_place(state)} (checkpoint {state['checkpoint']}), or with --fresh to start over"
            )

    def _last_states(self) -> list[tuple[str, dict[str, Any]]]:
        async def load() -> list[tuple[str, dict[str, Any]]]:
            states = [(name, await self.runtime.store.load(name)) for name in self.begun]
            return [(name, state) for name, state in states if state is not None and state["status"] != "completed"]

        try:
            return asyncio.run(load())
        except StoreError as error:
            say(f"error: {error}")
            return []

    def _finished(self) -> None:
        try:
            asyncio.run(self.forget())
        except StoreError as error:
            say(f"error: the finished run could not be removed from the store: {error}")

    async def forget(self) -> None:
        """Remove the state of this run from the store."""
        store = self.runtime.store
        if isinstance(store, OwningStore):
            for name in await self._names(store):
                await store.delete(name)

    async def check_free(self) -> None:
        """Raise InstanceBusyError while another process runs this program: nothing of the script is executed then.

        Raises StoreError when the store cannot be written.
        """
        store = self.runtime.store
        if isinstance(store, OwningStore):
            for name in {self.base, *await self._names(store)}:
                await store.release(await store.acquire(name, self.runtime.owner))

    async def _names(self, store: OwningStore) -> list[str]:
        names = [summary.instance_id for summary in await store.list()]
        return [name for name in names if name == self.base or name.startswith(self.base + "#")]

    # --- signals

    def _suspend(self, number: int, frame: types.FrameType | None) -> None:
        """The first Ctrl-C or SIGTERM: leave everything as it was at the last checkpoint. The second one kills."""
        if _is_handing_over(frame):
            main = threading.main_thread().ident
            again = threading.Timer(0.01, signal_again, [number, main])  # to this thread: it may sleep by then
            again.daemon = True
            again.start()
            return
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_DFL)
        running = list(self.runtime.running.values())
        if not running:
            if number == signal.SIGINT:
                signal.default_int_handler(number, frame)
            signal.raise_signal(number)
        self._leave_suspended(128 + number, "run the same command again to go on")

    def exit_for(self, deadline: float) -> None:
        """Leave instead of waiting for an event or sleeping until ``deadline`` (seconds since 1970), unless that is soon."""
        if math.isinf(deadline):
            self._leave_suspended(SUSPENDED, "it waits for an event: send it and run the same command again")
        if deadline - time.time() >= LONG_WAIT:
            until = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(deadline))
            self._leave_suspended(SUSPENDED, f"it sleeps until {until}: run the same command again then")

    def _leave_suspended(self, status: int, advice: str) -> NoReturn:
        """Leave everything as it was at the last checkpoint, and the process."""
        thread = threading.Thread(target=self._release_all, daemon=True)
        thread.start()
        thread.join(10)
        for one in list(self.runtime.running.values()):
            where = f" at {_place(one.state)} (checkpoint {one.state['checkpoint']})" if one.state else ""
            say(f"suspended instance {one.instance_id}{where}; {advice}")
        _leave(status)

    def _release_all(self) -> None:
        """Let commits under way finish, and give the instances up: the next run need not wait for a lease."""

        async def release() -> None:
            store = self.runtime.store
            for one in list(self.runtime.running.values()):
                if one.lease.claim is not None and isinstance(store, OwningStore):
                    await store.release(one.lease.claim)

        try:
            asyncio.run(release())
        except StoreError as error:
            say(f"error: {error}")


def _place(state: dict[str, Any]) -> str:
    return str(state["location"]).rpartition(" ")[0] or "the beginning"


_HANDING_OVER = (Worker.call.__code__, Worker.at_once.__code__)


def _is_handing_over(frame: types.FrameType | None) -> bool:
    """Whether the code that a signal interrupted holds the lock of a store's worker: releasing would wait for ever."""
    while frame is not None:
        if frame.f_code in _HANDING_OVER:
            return True
        frame = frame.f_back
    return False


def _exit_status(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code
    print(error.code, file=sys.stderr)
    return 1


def _leave(status: int) -> NoReturn:
    """Leave the process without running anybody's ``finally`` blocks or exit handlers: they run when the program gets there."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError, RuntimeError):  # closed, None, or interrupted while it was written to
            continue
    os._exit(status)
