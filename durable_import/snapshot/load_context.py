"""What reading one snapshot has to remember, until its whole graph is there; it goes with the reading, also when that fails.

The functions that snapshots name find the context of the innermost reading of their thread by ``current()``: a function that
is called while a snapshot is read may itself read another one. A context variable would not do, for the contexts that are
restored are copies of the one in which that is done.

While a pickle is being loaded, a container in a cycle may still be empty when something that refers to it is rebuilt. What has
to wait for it is put off by ``later``. Generators are primed behind all that: run to the ``yield`` where they were.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar

from ..aio.loop import InstanceLoop
from ..aio.task import DurableTask
from ..frames import restore
from ..frames.capture import chain
from ..frames.discard import discard

T = TypeVar("T")


class LoadContext:
    """Of one reading. ``hashes``: by number, those of incomplete instances, from an earlier reading of the same bytes."""

    def __init__(self, hashes: dict[int, int] | None = None) -> None:
        self.hashes = hashes or {}
        self.incomplete: list[Any] = []  # the instances that are made before their hash is known; their places are their numbers
        self.early: set[int] = set()  # the numbers of those that were hashed nevertheless
        self.placeholders: dict[tuple[Any, ...], Any] = {}  # by key, those for what is entered again: see ``lost``
        self.frames: list[Any] = []  # the coroutines and generators that were made
        self.unfilled: dict[int, Any] = {}  # by id, those of them that have got no variables
        self.begun: dict[int, Any] = {}  # by id, frames in the middle: generators among them are primed
        self.driven: dict[int, Any] = {}  # by id, coroutines that the program drives by itself
        self.tasks: dict[str, DurableTask] = {}  # by path
        self.missing: list[DurableTask] = []  # what they hold has not been loaded
        self.segments: dict[str, bytes] = {}  # of a snapshot in segments: see ``segments``
        self.islands: dict[str, Any] = {}  # those that were loaded
        self._calls: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()  # put off, in order

    @cached_property
    def loop(self) -> InstanceLoop:
        """The loop of the tasks and futures in the snapshot."""
        return InstanceLoop()

    def made(self, frame: Any) -> None:
        """Note a coroutine or generator that was made."""
        self.frames.append(frame)

    def built(self, frame: Any) -> None:
        """Note one that gets its variables later. It may stay without them: built once more, within its own making."""
        self.made(frame)
        self.unfilled[id(frame)] = frame

    def filled(self, frame: Any, *, is_begun: bool) -> None:
        """Note that it has got its variables."""
        self.unfilled.pop(id(frame), None)
        if is_begun:
            self.begun[id(frame)] = frame

    def number_incomplete(self, instance: Any) -> int:
        """Note an instance whose hash is not known yet; its number is the same whenever the same bytes are loaded."""
        self.incomplete.append(instance)
        return len(self.incomplete) - 1

    def early_hash(self, instance: Any, number: int) -> int:
        """The hash of an instance that is not complete yet: the true one if this is the second reading."""
        self.early.add(number)
        return self.hashes.get(number, id(instance) >> 4)

    def put_off(self, function: Callable[..., object], args: tuple[Any, ...]) -> None:
        """See ``later``."""
        self._calls.append((function, args))

    def complete(self) -> None:
        """Do what was put off, and what is put off while this is done; the first error ends it."""
        while self._calls:
            function, args = self._calls.popleft()
            function(*args)
        self._take_frames_to_place()
        discard(list(self.unfilled.values()))

    def _take_frames_to_place(self) -> None:
        restore.prime(self.begun.values())
        stacks = [chain(frame) for frame in self.driven.values()]
        inner = {id(frame) for stack in stacks for frame in stack[1:]}
        for stack in stacks:
            if id(stack[0]) not in inner:
                restore.take_to_place(stack, stack[0])

    def true_hashes(self) -> dict[int, int]:
        """Those of the instances that were hashed too early, if that was not with their true ones already."""
        return {} if self.hashes else {number: hash(self.incomplete[number]) for number in self.early}


class _Readings(threading.local):
    """Those going on in this thread, the innermost last."""

    def __init__(self) -> None:
        self.stack: list[LoadContext] = []


_READINGS = _Readings()


def current() -> LoadContext:
    """The context of the innermost reading of this thread.

    Raises RuntimeError outside of any: what a bare ``pickle.loads`` gives of a snapshot would be half restored.
    """
    if not _READINGS.stack:
        raise RuntimeError("snapshots are read inside `load_context.reading()`: a bare pickle.loads would leave gaps")
    return _READINGS.stack[-1]


@contextmanager
def reading(hashes: dict[int, int] | None = None) -> Iterator[LoadContext]:
    """While a snapshot is read in this thread. Frames that were built for one that cannot be read are dropped."""
    context = LoadContext(hashes)
    _READINGS.stack.append(context)
    try:
        yield context
    except BaseException:
        discard(context.frames)
        raise
    finally:
        _READINGS.stack.pop()


def later(function: Callable[..., object], *args: Any) -> None:
    """Call ``function(*args)`` when the graph that is being read is complete."""
    current().put_off(function, args)


def load(read: Callable[[LoadContext], T]) -> T:
    """What ``read`` gives, completed. Calls it twice if an instance in a cycle was hashed before it was complete."""
    value, hashes = _read_once(read, {})
    return _read_once(read, hashes)[0] if hashes else value


def _read_once(read: Callable[[LoadContext], T], known: dict[int, int]) -> tuple[T, dict[int, int]]:
    """What was read; and the hashes to read it once more with, if it has to be."""
    with reading(known) as context:
        value = read(context)
        hashes = context.true_hashes()
        if hashes:
            discard(context.frames)
        else:
            context.complete()
        return value, hashes
