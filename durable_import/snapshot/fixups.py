"""Work that has to wait until a snapshot's whole graph is loaded.

While a pickle is being loaded, a container in a cycle may still be empty when something that refers to it is rebuilt.
Reconstruct functions then call ``later``; the loader runs what was put off once the graph is complete:

    with fixups.collecting() as pending:
        root = unpickler.load()
        pending.run()
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Pending:
    """Calls put off during one load, in the order in which they were asked for."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()

    def add(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        """Put off ``function(*args)``."""
        self._calls.append((function, args))

    def run(self) -> None:
        """Make all calls, those included that are added meanwhile; the first error ends it."""
        while self._calls:
            function, args = self._calls.popleft()
            function(*args)


class _Loads(threading.local):
    """The loads going on in this thread, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[Pending] = []


_LOADS = _Loads()


@contextmanager
def collecting() -> Iterator[Pending]:
    """Collect the calls that reconstruct functions of this thread put off; loads may nest."""
    pending = Pending()
    _LOADS.stack.append(pending)
    try:
        yield pending
    finally:
        _LOADS.stack.remove(pending)


def later(function: Callable[..., object], *args: Any) -> None:
    """Call ``function(*args)`` when the graph being loaded is complete.

    Raises RuntimeError outside ``collecting``: a snapshot loaded with a bare ``pickle.loads`` would be half restored.
    """
    if not _LOADS.stack:
        raise RuntimeError("snapshots are loaded inside `fixups.collecting()`: a bare pickle.loads would leave gaps")
    _LOADS.stack[-1].add(function, args)
