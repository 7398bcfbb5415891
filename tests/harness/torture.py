"""Hard torture, in-process: at every leaf save the state, discard everything, restore it, and go on."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import itertools
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import durable_import  # noqa: F401  (provides what rewritten code calls)
from durable_import.frames import ambient
from durable_import.frames.capture import FRAME_TYPES, chain
from durable_import.frames.discard import discard
from durable_import.frames.leaf import FAILED, Leaf
from durable_import.rewrite.compiler import compile_module
from durable_import.rewrite.registry import register_module
from durable_import.runtime.driver import Checkpoint, InstanceDriver
from durable_import.snapshot.managers import enter_again
from durable_import.snapshot.modules import ScriptData
from durable_import.snapshot.snapshot import Encoder, Snapshot

PROGRAMS = Path(__file__).parent.parent / "programs"
_numbers = itertools.count()


class TortureDriver(InstanceDriver):
    """Replaces the coroutine by a restored one at every checkpoint, failed leaves included."""

    rounds = 0
    context: contextvars.Context

    def _drive(self) -> Any:
        self.encoder.base = contextvars.copy_context()
        self.context = self.encoder.base.copy()
        return (yield from super()._drive())

    def _advance(self, error: BaseException | None) -> Any:
        return self.context.run(super()._advance, error)

    def _capture(self, status: str) -> Checkpoint:
        return self.context.run(super()._capture, status)

    def _leaf_waits(self, leaf: Leaf) -> Any:
        if leaf.state == FAILED and not leaf.is_restored:
            return (yield from self._save(self._capture("running")))
        return (yield from super()._leaf_waits(leaf))

    async def swap(self, checkpoint: Checkpoint) -> None:
        """Discard the frames and restore them from the payload."""
        frames: list[Any] = []
        self.context.run(self.encoder.encode, Snapshot(self.root, {}), frames)
        stack = chain(self.root)
        others = [f for f in {id(f): f for f in frames}.values() if isinstance(f, FRAME_TYPES) and f not in stack]
        self.context.run(discard, [*stack, *others])
        self.context = self.encoder.base.copy()  # nothing of the program's context survives either
        self.root = self.context.run(self.encoder.decode, checkpoint.payload).root
        await asyncio.create_task(enter_again(self.root), context=self.context)
        self.rounds += 1


@contextlib.contextmanager
def fresh_module(source: str, path: str, *, rewritten: bool) -> Iterator[types.ModuleType]:
    """A module of its own, in sys.modules while it is used."""
    name = f"program_{next(_numbers)}"
    module = types.ModuleType(name)
    module.__file__ = path
    sys.modules[name] = module
    sys.path.insert(0, str(PROGRAMS))
    try:
        if rewritten:
            code = compile_module(source.encode(), path, name)
            register_module(name, path, source.encode(), code)
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


def rewritten(source: str, path: str = "<program>") -> str:
    """The repr of the program's result, rewritten, without a runtime."""
    with fresh_module(source, path, rewritten=True) as module:
        return repr(asyncio.run(module.main()))


def hard_torture(source: str | os.PathLike[str], path: str = "<program>") -> str:
    """The repr of the program's result when its state is saved, dropped and restored at every leaf."""
    if isinstance(source, os.PathLike):
        source, path = Path(source).read_text(), str(source)
    with fresh_module(source, path, rewritten=True) as module:

        async def drive() -> Any:
            root = module.main()
            encoder = Encoder("torture", ScriptData.of(module.__name__))
            driver = TortureDriver(root, encoder, None)  # type: ignore[arg-type]
            driver.commit = driver.swap
            ambient.ON.append(driver)
            try:
                return await driver
            finally:
                ambient.ON.remove(driver)

        return repr(asyncio.run(drive()))
