"""What becomes of restored asynchronous generators that nobody uses any more: see ``InstanceLoop.abandon``."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .loop import InstanceLoop


class Finalizer:
    """That of the generators of a snapshot, whose ``loop`` is known once all is loaded."""

    def __init__(self) -> None:
        self.loop: InstanceLoop | None = None
        self.begun: weakref.WeakSet[Any] = weakref.WeakSet()

    def has(self, loop: InstanceLoop) -> None:
        """The loop is known."""
        self.loop, loop.generators = loop, self.begun or None

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
