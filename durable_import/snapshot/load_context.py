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
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from pickle import UnpicklingError
from typing import Any, Generic, TypeVar

from ..aio.loop import InstanceLoop
from ..aio.task import DurableTask
from ..frames import restore
from ..frames.capture import chain
from ..frames.discard import discard
from ..holds.opening import Opened, Reopening
from ..upgrades.kept import KeptTexts

T = TypeVar("T")


class ReadsCarefullyError(Exception):
    """The class of an object has changed: what is being read is to be read again, carefully."""


# What reading raises where a class is not what it was; whatever else it means comes again.
MAY_FIT_CAREFULLY = (ReadsCarefullyError, AttributeError, TypeError, UnpicklingError)


class LoadContext:
    """Of one reading. ``hashes``: by number, those of incomplete instances, from an earlier reading of the same bytes; ``pins``
    is from one too."""

    def __init__(
        self,
        hashes: dict[int, int] | None = None,
        kept_texts: KeptTexts | None = None,
        pins: dict[int, str] | None = None,
        *,
        is_careful: bool = False,
        owns_process: bool = False,
    ) -> None:
        self.owns_process = owns_process  # whether the process is that of the program
        self.is_careful = is_careful  # see ``careful``
        self.kept_texts = kept_texts  # None: what has changed does not move
        self.pins = dict(pins or {})  # by the number of a frame or call in ``frames``: the version that it is to be of
        self.passing: dict[int, str] = {}  # by id of frames of asyncio: the version of what was passed on to them
        self.pinned: list[tuple[Any, str]] = []  # frames of earlier versions, with those
        self.moving: dict[int, tuple[str, dict[str, Any]]] = {}  # by id of frames: digest and cells, see ``moved``
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
        self.changed: dict[type, tuple[str, ...] | None] = {}  # the fields that classes had: see ``declared``
        self.forms: dict[type, Any] = {}  # see ``filling``
        self.lacking: list[tuple[Any, str]] = []  # objects without a field that has no default
        self.refusal: Callable[[LoadContext], Exception] | None = None  # what they are refused with
        self.variables: list[tuple[Any, dict[str, Any]]] = []  # of frames, when it is read carefully
        self.contents: dict[str, Any] = {}  # of the program's modules
        self.opened = Opened()  # what is opened again
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

    def lacks(self, instance: Any, name: str) -> None:
        """Note an object without a field that has no default: an error when all is read, and what holds it is known."""
        self.lacking.append((instance, name))

    def check(self) -> None:
        """Raise DataChangedError if there is an object that lacks a field."""
        if self.lacking and self.refusal is not None:
            raise self.refusal(self)

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

    def more_pins(self) -> dict[int, str]:
        """What frames of earlier versions have in flight, and was not to be of these."""
        if not self.pinned:
            return {}
        from ..upgrades.in_flight import frames_in_flight  # rarely needed

        numbers = {id(frame): number for number, frame in enumerate(self.frames)}
        found: dict[int, str] = {}
        for frame, version in frames_in_flight(self.pinned, self.tasks.values()):
            number = numbers.get(id(frame))
            if number is not None and number not in self.pins:
                found.setdefault(number, version)
        return found

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
def reading(context: LoadContext) -> Iterator[None]:
    """While a snapshot, or a part of it, is read in this thread. If it cannot be, frames that were built for it are dropped."""
    _READINGS.stack.append(context)
    try:
        yield
    except BaseException:
        discard(context.frames)
        raise
    finally:
        _READINGS.stack.pop()


def later(function: Callable[..., object], *args: Any) -> None:
    """Call ``function(*args)`` when the graph that is being read is complete."""
    current().put_off(function, args)


Read = Callable[[LoadContext], Generator[Reopening, None, T]]


class Loading(Generic[T]):
    """A snapshot that is read in slices: before each of the others something is to be opened again.

    ``read`` gives what was read, after what it has yielded was opened; it is called again if an instance in a cycle was hashed
    before it was complete, and if a class has changed: see ``careful``. ``is_looked_at``: nothing will be opened.
    ``kept_texts``: see ``moved``.
    """

    def __init__(
        self, read: Read[T], *, is_looked_at: bool = False, kept_texts: KeptTexts | None = None, owns_process: bool = False
    ) -> None:
        self._owns_process = owns_process
        self._kept_texts = kept_texts
        self._read = read
        self._is_looked_at = is_looked_at
        self._hashes: dict[int, int] = {}
        self._pins = kept_texts.pins if kept_texts is not None else {}
        self._is_careful = False
        self._is_over = True
        self._begin()

    def _begin(self) -> None:
        known = self._hashes, self._kept_texts, self._pins
        self.context = LoadContext(*known, is_careful=self._is_careful, owns_process=self._owns_process)
        self.context.opened.is_looked_at = self._is_looked_at
        self._slices = self._read(self.context)

    def next_opening(self) -> Reopening | None:
        """Read on; gives what is to be opened, or None at the end, when all is complete or ``begins_again``."""
        with reading(self.context):
            try:
                return next(self._slices)
            except StopIteration as stop:
                self.value: T = stop.value
            except MAY_FIT_CAREFULLY:
                self.context.check()
                if self.context.is_careful:
                    raise
                self._is_careful, self._is_over = True, False
                discard(self.context.frames)
                return None
            self.context.check()
            hashes, pins = self.context.true_hashes(), self.context.more_pins()
            self._is_over = not hashes and not pins
            self._hashes = hashes or self._hashes
            self._pins.update(pins)
            if not self._is_over:
                discard(self.context.frames)
            else:
                self.context.complete()
        return None

    def begins_again(self) -> bool:
        """Whether it has to be read once more, with what was opened until then left; it begins then."""
        if self._is_over:
            return False
        self._is_over = True
        self._begin()
        return True

    def give_up(self) -> None:
        """It is not going to be read to its end."""
        self._slices.close()
        discard(self.context.frames)


def load_unopened(read: Read[T]) -> T:
    """What ``read`` gives, completed. Nothing is opened: what stands for such objects is of no use but to be looked at."""
    loading = Loading(read, is_looked_at=True)
    while loading.next_opening() is not None or loading.begins_again():
        pass
    return loading.value


def load(read: Callable[[LoadContext], T]) -> T:
    """What ``read`` gives, completed, where there is nothing to be opened."""

    def at_once(context: LoadContext) -> Generator[Reopening, None, T]:
        yield from ()
        return read(context)

    return load_unopened(at_once)
