"""What the garbage collector looks at."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Let the collector, and who asks it for referrers, see what is made meanwhile: the process may hold a million others."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
