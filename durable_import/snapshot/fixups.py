"""Work that has to wait until a snapshot's whole graph is loaded.

While a pickle is being loaded, a container in a cycle may still be empty when something that refers to it is rebuilt.
Reconstruct functions then call ``later``; the loader runs what was put off once the graph is complete:

    with fixups.collecting() as pending:
        root = unpickler.load()
        pending.run()

or, for snapshots with instances that must be hashed before they are complete (see ``instances``), ``fixups.load``.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Pending:
    """Calls put off during one load, in the order in which they were asked for.

    ``incomplete``: the instances that are made before their hash is known. ``early``: the numbers of those that were
    hashed nevertheless. ``hashes``: by number, from an earlier load of the same bytes. ``frames``: what was built, and
    ``unfilled``, by id, what of that has got no variables: such a frame was built once more, within the making of itself.
    """

    __slots__ = ("_calls", "early", "frames", "hashes", "incomplete", "unfilled")

    def __init__(self, hashes: dict[int, int] | None = None) -> None:
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self.hashes = hashes or {}
        self.incomplete: list[Any] = []
        self.early: set[int] = set()
        self.frames: list[Any] = []
        self.unfilled: dict[int, Any] = {}

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
def collecting(hashes: dict[int, int] | None = None) -> Iterator[Pending]:
    """Collect the calls that reconstruct functions of this thread put off; loads may nest."""
    pending = Pending(hashes)
    _LOADS.stack.append(pending)
    try:
        yield pending
    finally:
        _LOADS.stack.remove(pending)


def load(read: Callable[[], Any], discard: Callable[[list[Any]], object] = list) -> Any:
    """What ``read`` loads, completed. Calls it twice if an instance in a cycle was hashed before it was complete.

    ``discard`` is given the frames that were built in vain: by the first of two readings, or by one that failed.
    """
    value, hashes = _read_once(read, discard, {})
    if hashes:
        value, _ = _read_once(read, discard, hashes)
    return value


def _read_once(
    read: Callable[[], Any], discard: Callable[[list[Any]], object], hashes: dict[int, int]
) -> tuple[Any, dict[int, int]]:
    """What was read; or None, and the hashes to read it with."""
    with collecting(hashes) as pending:
        try:
            value = read()
            if hashes or not pending.early:
                pending.run()
                discard(list(pending.unfilled.values()))
                return value, {}
            found = {number: hash(pending.incomplete[number]) for number in pending.early}
        except BaseException:
            discard(pending.frames)
            raise
        discard(pending.frames)
        return None, found


def _innermost() -> Pending:
    if not _LOADS.stack:
        raise RuntimeError("snapshots are loaded inside `fixups.collecting()`: a bare pickle.loads would leave gaps")
    return _LOADS.stack[-1]


def built(frame: Any) -> None:
    """Note a coroutine or generator that was made for the snapshot being loaded."""
    pending = _innermost()
    pending.frames.append(frame)
    pending.unfilled[id(frame)] = frame


def filled(frame: Any) -> None:
    """Note that it has got its variables."""
    _innermost().unfilled.pop(id(frame), None)


def number_incomplete(instance: Any) -> int:
    """Note an instance whose hash is not known yet; its number is the same whenever the same bytes are loaded."""
    incomplete = _innermost().incomplete
    incomplete.append(instance)
    return len(incomplete) - 1


def early_hash(instance: Any, number: int) -> int:
    """The hash of an instance that is not complete yet: the true one if this is the second load."""
    pending = _innermost()
    pending.early.add(number)
    return pending.hashes.get(number, id(instance) >> 4)


def later(function: Callable[..., object], *args: Any) -> None:
    """Call ``function(*args)`` when the graph being loaded is complete.

    Raises RuntimeError outside ``collecting``: a snapshot loaded with a bare ``pickle.loads`` would be half restored.
    """
    _innermost().add(function, args)
