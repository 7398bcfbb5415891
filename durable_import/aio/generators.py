"""What becomes of generators that nobody uses any more, also since their instance is suspended."""

from __future__ import annotations

import gc
import sys
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from types import CellType, GeneratorType, MethodType
from typing import Any

from ..frames.capture import FRAME_TYPES
from ..frames.discard import discard
from ..hook.code_table import info_of
from ..pythons.library import AsyncGeneratorManager, GeneratorManager
from .loop import InstanceLoop


class Finalizer:
    """That of asynchronous generators of a snapshot (see ``InstanceLoop.abandon``); its ``loop`` is known later."""

    def __init__(self) -> None:
        self.loop: InstanceLoop | None = None
        self.begun: weakref.WeakSet[Any] = weakref.WeakSet()

    def has(self, loop: InstanceLoop) -> None:
        """The loop is known."""
        self.loop = loop
        for generator in self.begun:
            loop.note_generator(generator)

    def __call__(self, generator: Any) -> None:
        if self.loop is not None:
            self.loop.abandon(generator)


@contextmanager
def restoring_generators(finalizer: Finalizer) -> Iterator[None]:
    """While a snapshot is loaded: some generators begin then, and get their finalizer by that."""
    outside = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(finalizer.begun.add, finalizer)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(*outside)


def drop_generators(loop: InstanceLoop) -> None:
    """Let go of the generators of an instance as they are: their blocks are for when the program gets there.

    Those are generators that a checkpoint had, and what its frames have begun since: in variables, and behind managers.
    Asynchronous ones are seen to by ``InstanceLoop.abandon``.
    """
    found: dict[int, Any] = {id(each): each for each in loop.generators or () if type(each) is GeneratorType}
    kept = [*found.values(), *(frame for task in loop.tasks for frame in task.stack())]
    seen = {id(each) for each in kept}
    for each in kept:
        for value in _held_by(each):
            if id(value) in seen or not isinstance(value, _HOLDERS):
                continue
            if type(value) is GeneratorType and info_of(value.gi_code) is not None:
                if _is_of_module(value):
                    continue
                found[id(value)] = value
            seen.add(id(value))
            kept.append(value)
    discard(found.values())


_HOLDERS = (*FRAME_TYPES, CellType, MethodType, GeneratorManager, AsyncGeneratorManager, ExitStack, AsyncExitStack)


def _held_by(value: Any) -> list[Any]:
    """The values through which a frame, or a manager, may hold a generator."""
    if isinstance(value, MethodType):
        return [value.__self__]
    if isinstance(value, (GeneratorManager, AsyncGeneratorManager)):
        return [value.gen]
    if isinstance(value, (ExitStack, AsyncExitStack)):
        return [part for kept in vars(value).values() if isinstance(kept, deque) for entry in kept for part in entry]
    return gc.get_referents(value)


def _is_of_module(generator: Any) -> bool:
    """Whether a module has it, so that other instances may use it as well."""
    module = sys.modules.get(generator.gi_frame.f_globals.get("__name__", "")) if generator.gi_frame is not None else None
    return module is not None and any(value is generator for value in vars(module).values())
