"""Hard torture, in-process: at every step save the state, discard everything, restore it, and go on."""

from __future__ import annotations

import asyncio
import contextlib
import io
import itertools
import os
import pickle
import sys
import time
import traceback
import types
import unittest.mock
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import durable_import  # noqa: F401  (provides what rewritten code calls)
from durable_import.aio.task import DurableTask
from durable_import.frames import ambient
from durable_import.frames import capture as capturing
from durable_import.frames.capture import FrameState, capture, parts_of
from durable_import.frames.discard import discard
from durable_import.frames.liveness import drop_dead
from durable_import.frames.restart import durable_form
from durable_import.frames.step import NEW, Step
from durable_import.hook.code_table import info_of, register_module, register_plain_module
from durable_import.hook.exchange import exchange
from durable_import.inspect.stack import stack_of
from durable_import.inspect.state import read_state
from durable_import.rewrite.analysis.names import AWAITED
from durable_import.rewrite.compiler import compile_module, compile_plain
from durable_import.running.instance.checkpoint import Checkpoint
from durable_import.running.instance.driver import InstanceDriver
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.incremental.format_policy import FormatPolicy
from durable_import.snapshot.module_data.modules import ScriptData
from durable_import.snapshot.payload import Snapshot
from durable_import.snapshot.pickler import SnapshotPickler
from durable_import.snapshot.tasks.stacks import Stacks, Unchanged
from tests.harness.garbage import only_new_garbage

PROGRAMS = Path(__file__).parent.parent / "programs"
TICK = 0.02  # seconds
LOOKS = 2  # checkpoints: every second one is looked at from outside
_numbers = itertools.count()
Event = tuple[str, Any] | None  # name and payload; None: let time pass instead
_NO_EVENT: tuple[int, Event] = (0, None)


class _Swapped(Exception):
    """The instance is another one now."""


class Turns(FormatPolicy):
    """Snapshots in segments ("s") and whole ones ("w") in turns, whatever they cost."""

    def __init__(self, forms: str, least: int = 1) -> None:
        super().__init__(least)
        self.forms = itertools.cycle(forms)

    def wants_segments(self) -> bool:
        return next(self.forms) == "s"

    def allowance(self, *, is_first: bool) -> float:  # noqa: ARG002  the signature of what it overrides
        return float("inf")


class CheckedStacks(Stacks):
    """Makes sure that frames which are not pickled again are as they were."""

    def end(self) -> None:
        for known in self.met.values():
            if isinstance(known, Unchanged):
                state = capture(known.frame)
                assert state.variables.pop(AWAITED) is known.awaited
                identity, variables = pickle.loads(known.data)
                assert (identity[1], repr(variables)) == (state.info.place, repr(state.variables))
                assert known.place == state.info.suspensions[state.label]
        super().end()


class TortureDriver(InstanceDriver):
    """Replaces the whole instance by a restored one at every checkpoint, failed steps included."""

    rounds = 0
    now: float | None = None  # the instance's clock: it stands still while something runs, so that no deadline is missed
    every = 1  # it is replaced at each of so many checkpoints
    segments: dict[str, bytes] | None = None  # as a store would keep them
    is_late = was_late = False  # what is saved, was saved last, was captured before tasks went on
    events: Iterator[tuple[int, Event]] = iter(())  # to be delivered one by one, when the program waits for events

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        names = getattr(self.coroutine.cr_frame, "f_globals", {})  # of one that has ended there are none
        self.is_strict = not names.get("HOLDS", False)  # few programs may hold

    def _drive(self) -> Any:
        self._set_clock()
        while True:
            try:
                return (yield from super()._drive())
            except _Swapped:
                self.rounds += 1

    def _owe(self, deferred: Checkpoint | None) -> None:
        super()._owe(None)
        if deferred is not None:
            self.deferred = deferred

    def _attend(self, task: DurableTask, step: Step) -> Any:
        self.is_late = step.state == NEW and self.deferred is not None
        if self.is_late and self.was_late:  # the failure that was restored is no other one
            self.deferred, self.is_late = None, False
        try:
            yield from super()._attend(task, step)
        finally:
            self.is_late = False
        if self.deferred is not None:
            yield from self._save(self.deferred)

    def _save(self, checkpoint: Checkpoint) -> Any:
        self.deferred, self.was_late = None, self.is_late
        self.keep(checkpoint)
        if checkpoint.number % self.every:
            return
        yield from self.swap(checkpoint).__await__()
        raise _Swapped

    def _idle(self) -> Any:
        """Let time pass: at once to the next deadline, or slowly while steps are in flight."""
        loop = self.loop
        deadline = loop.next_deadline()
        number, event = next(self.events, _NO_EVENT) if loop.inbox.is_waiting and not loop.in_flight else _NO_EVENT
        if event is not None:
            yield from self._deliver(number, event)
            return
        if deadline is None or loop.has_new_timer:
            yield from super()._idle()
            return
        if loop.in_flight:
            deadline = min(deadline, loop.time() + TICK)
            waiter, timer = loop.begin_wait(), loop.real.call_later(TICK, loop._poke)
            try:
                yield from self._outside(waiter)
                timer.cancel()
            finally:
                loop.end_wait()
        self.now = max(deadline, loop.time())

    def _deliver(self, number: int, event: tuple[str, Any]) -> Any:
        """Publish an event, twice; save and restore before the program gets it, and after."""
        self.loop.deliver(number, *event)
        self.loop.deliver(number, *event)
        yield from self._checkpoint("running")

    def _set_clock(self) -> None:
        self.now = self.now or time.time()
        self.loop.time = lambda: self.now or 0.0  # type: ignore[method-assign]

    def keep(self, checkpoint: Checkpoint) -> None:
        """As a store does."""
        saved = checkpoint.saved
        if saved.segments is None:
            self.segments = None
        else:
            kept = {} if saved.is_whole or self.segments is None else self.segments
            self.segments = {key: data for key, data in {**kept, **saved.segments}.items() if data is not None}
        self.is_kept(checkpoint)
        if checkpoint.number % LOOKS == 0 and not self.is_late:
            self._look(saved.payload)

    def _look(self, payload: bytes) -> None:
        """As people do who look from outside: nothing is run, and the frames are those that are there."""
        stack = stack_of(read_state(payload, self.segments), "torture", {})
        alive = {task.path: task.stack() for task in self.loop.tasks}
        for view in stack.tasks:
            known = (info_of(parts_of(frame).code) for frame in alive.pop(view.path, []))
            places = [info.place.removesuffix("_until_3_11") for info in known if info is not None]  # asyncio's of then
            assert [frame.place for frame in view.frames] == places
        assert not alive

    @types.coroutine
    def _left(self) -> Any:
        """Libraries clean up, as at a suspension."""
        yield from self._leave()

    async def swap(self, checkpoint: Checkpoint) -> None:
        """Discard all tasks and what they hold, and restore them from the payload."""
        with noted_frames() as frames:
            self.encoder.encode(Snapshot(loop=self.loop))
        await self._left()
        self.drop()
        discard(list({id(f): f for f in frames}.values()))
        context = self.encoder.base.copy()  # nothing of the program's context survives either
        loop = (await asyncio.create_task(self.reopened(checkpoint), context=context)).loop
        assert loop is not None
        self.loop = loop
        loop.holder = self.holding
        loop.attach()
        self._set_clock()
        await self.enter_again()

    async def reopened(self, checkpoint: Checkpoint) -> Snapshot:
        """The state as it was saved."""
        return await self.encoder.reopen(checkpoint.saved.payload, self.segments)


@contextlib.contextmanager
def noted_frames() -> Iterator[list[Any]]:
    """The frames that are pickled and that no task runs."""
    frames: list[Any] = []
    reduce: Callable[[Any, Any, Any], Any] = SnapshotPickler._reduce_frame

    def noted(pickler: Any, frame: Any, reducer: Any) -> Any:
        frames.append(frame)
        return reduce(pickler, frame, reducer)

    with unittest.mock.patch.object(SnapshotPickler, "_reduce_frame", noted):
        yield frames


@contextlib.contextmanager
def without_dead_variables() -> Iterator[list[str]]:
    """Of every frame that is captured, what nothing reads any more is left out; gives the names of what was."""
    dropped: list[str] = []
    read: Callable[..., FrameState] = capturing._read

    def forgetful(*arguments: Any) -> FrameState:
        state = read(*arguments)
        for kept in (state.variables, state.cells):
            names = set(kept)
            drop_dead(state.info, state.label, kept)
            dropped.extend(names - kept.keys())
        return state

    with unittest.mock.patch.object(capturing, "_read", forgetful):
        yield dropped


@contextlib.contextmanager
def fresh_module(source: str, path: str, *, rewritten: bool, plain: bool = False) -> Iterator[types.ModuleType]:
    """A module of its own, in sys.modules while it is used; ``plain``: as if it is imported while there is no runtime."""
    name = f"program_{next(_numbers)}"
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    sys.path.insert(0, str(PROGRAMS))
    text = source.encode()
    try:
        if rewritten and plain:
            variant = compile_plain(text, path, name)
            register_plain_module(name, path, text, variant, lambda: compile_module(text, path, name))
            exec(variant.code, module.__dict__)
        elif rewritten:
            code = compile_module(text, path, name)
            register_module(name, path, text, code)
            exec(code.code, module.__dict__)
        else:
            exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
        yield module
    finally:
        sys.path.remove(str(PROGRAMS))
        del sys.modules[name]


def native(source: str, path: str = "<program>") -> str:
    """The repr of the program's result, run as it is."""
    with fresh_module(source, path, rewritten=False) as module:
        return repr(asyncio.run(module.main()))


def rewritten(source: str, path: str = "<program>", *, plain: bool = False) -> str:
    """The repr of the program's result, rewritten, without a runtime; ``plain``: in the variant that it has then."""
    with fresh_module(source, path, rewritten=True, plain=plain) as module:
        return repr(asyncio.run(module.main()))


def hard_torture(
    source: str | os.PathLike[str],
    path: str = "<program>",
    *,
    every: int = 1,
    forms: str = "",
    events: Sequence[Event] | None = None,
    plain: bool = False,
) -> str:
    """The repr of the program's result when its state is saved, dropped and restored at every step.

    ``every``: at each of so many checkpoints only. ``forms``: those that snapshots take in turns, see ``Turns``; all are whole
    without. ``plain``: the module is imported before there is a runtime.
    ``events``: names and payloads, delivered one by one when the program waits for events; None lets time pass instead.
    """
    if isinstance(source, os.PathLike):
        source, path = Path(source).read_text(), str(source)
    with fresh_module(source, path, rewritten=True, plain=plain) as module:
        exchange()
        format_policy = Turns(forms) if forms else None
        encoder = Encoder("torture", ScriptData.of(module.__name__), format_policy=format_policy, stacks=CheckedStacks())
        return repr(asyncio.run(tortured(module.main, encoder, every=every, events=events)))


async def tortured(
    function: Callable[[], Any],
    encoder: Encoder | None = None,
    *,
    every: int = 1,
    events: Sequence[Event] | None = None,
    kind: Callable[..., TortureDriver] = TortureDriver,
) -> Any:
    """What a durable function gives when its state is saved, dropped and restored at every step; see ``hard_torture``."""
    exchange()
    driver = kind(durable_form(function()), encoder or Encoder("torture"), None)
    driver.every = every
    driver.events = iter(enumerate(events or []))
    ambient.switch_on(driver)
    try:
        return await driver
    finally:
        ambient.ON.remove(driver)


def observe(run: Callable[[str, str], str], path: Path, log: Path) -> tuple[str, list[str]]:
    """The repr of the result, or the exception and the line it comes from; and the effects."""
    log.write_text("")
    try:
        with contextlib.redirect_stdout(io.StringIO()), only_new_garbage():
            result = run(path.read_text(), str(path))
    except (Exception, SystemExit, GeneratorExit) as error:  # an ending like any other, if it is the native one
        last = traceback.extract_tb(error.__traceback__)[-1]
        result = f"{type(error).__name__}: {error} at {last.filename}:{last.lineno}"
    return result, log.read_text().splitlines()
