"""What becomes of restored asynchronous generators that nobody uses any more: see ``InstanceLoop.abandon``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .loop import InstanceLoop


class Finalizer:
    """That of the generators of a snapshot, whose ``loop`` is known once all is loaded."""

    def __init__(self) -> None:
        self.loop: InstanceLoop | None = None

    def __call__(self, generator: Any) -> None:
        if self.loop is not None:
            self.loop.abandon(generator)


@contextmanager
def restoring_generators(finalizer: Finalizer) -> Iterator[None]:
    """While a snapshot is loaded: some generators begin then, and get their finalizer by that."""
    outside = sys.get_asyncgen_hooks().finalizer
    sys.set_asyncgen_hooks(finalizer=finalizer)
    try:
        yield
    finally:
        sys.set_asyncgen_hooks(finalizer=outside)
