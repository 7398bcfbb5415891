"""Pickles the segments of an instance that may have changed since its last checkpoint. See ``segments``."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from ...aio.loop import InstanceLoop
from ...aio.task import DurableTask
from ...aio.timers import Timer
from ...hook.code_table import CodeInfo
from ..pickler import can_be_saved
from ..references import References, task_frames
from ..reopened import ComesLater, Order, refuse_busy_ones
from ..tasks.loops import inbox_state, loop_state
from ..tasks.tasks import task_record
from .ownership import Ownership, Segment
from .segment_pickler import EXACT, SegmentPickler, outermost
from .segments import KERNEL, task_key


class TooMuch(Exception):
    """More has to be pickled than was allowed."""


class Segments:
    """The segments of one instance in this process."""

    def __init__(self) -> None:
        self.owned = Ownership()
        self.pickled = 0  # bytes, at the last checkpoint; of what was pickled twice, twice
        self._callbacks: dict[str, tuple[int, asyncio.Handle]] = {}
        self._tasks: dict[str, weakref.ref[DurableTask]] = {}
        self._gone: list[str] = []  # keys of tasks that nobody knows any more
        self._thawed: set[str] = set()  # islands that have let go of their objects since the last checkpoint
        self._loose: list[Timer] = []  # timers that perhaps no task or island refers to

    def encode(
        self,
        loop: InstanceLoop,
        rest: Any,
        references: References,
        prepare: Callable[[DurableTask], None],
        codes: dict[int, CodeInfo],
        most: float,
    ) -> bytes:
        """Pickle what may have changed; gives the kernel. ``rest`` goes into it.

        ``prepare`` is called with each task before it is pickled. Notes the functions of the frames met in ``codes``. Raises
        TooMuch when that is more than ``most`` bytes. Whatever is raised, the segments are of no use afterwards.
        """
        known = self.owned.segments
        loop.on_turn = self._thaw_task
        dirty = self._dirty(loop)
        if sum(len(known[key].data) for key in dirty if key in known) > most:
            raise TooMuch
        self.pickled = 0
        one_round = _Round(self, loop, rest, references, prepare, codes, most)
        while True:
            loop.is_saved()
            self._dissolve(dirty)
            for key in (*dirty, KERNEL):
                self.forget(key)
            one_round.pickle([*dirty, KERNEL])
            self._thawed.clear()
            self._remove_unused()
            if not (loop.touched or loop.changed_callbacks or loop.called or loop.new_timers):
                return known[KERNEL].data
            dirty = self._dirty(loop)  # what was let go of here has been finalized, and that has done something

    def _dirty(self, loop: InstanceLoop) -> dict[str, None]:
        """The segments that may have changed since the last checkpoint, the kernel left out."""
        known = self.owned.segments
        self._loose += loop.new_timers if known else loop.timers
        touched = loop.touched if known else loop.tasks
        callbacks = loop.changed_callbacks if known else dict(loop.callbacks.values())
        dirty = {task_key(task): None for task in touched if task_key(task) in known or not task.done()}
        for task in touched:
            self.know(task)
        for place, handle in callbacks.items():
            if handle is None:
                self.remove(f"c{place}")
            else:
                self._callbacks[f"c{place}"] = place, handle
                dirty[f"c{place}"] = None
        reached = {KERNEL}.union(*map(self._owners_of, loop.called))
        for key in (*dirty, KERNEL, *reached):
            reached |= known[key].reach if key in known else set()
        dirty.update(dict.fromkeys(key for key in self.owned.closure(reached) if key != KERNEL))
        return dirty

    def _dissolve(self, dirty: dict[str, None]) -> None:
        """Take apart the islands that will become a part of the only segment that refers to them."""
        users = {key: self.owned.only_user(key) for key in dirty}
        for key, user in users.items():
            if user is not None and (user in users or user == KERNEL):
                del dirty[key]
                self.remove(key)

    def know(self, task: DurableTask) -> None:
        """A task was met."""
        key = task_key(task)
        if key not in self._tasks:
            self._tasks[key] = weakref.ref(task, lambda _: self._gone.append(key))

    def task(self, key: str) -> DurableTask | None:
        """The task of a segment."""
        reference = self._tasks.get(key)
        return reference() if reference is not None else None

    def count_tasks(self) -> int:
        """How many tasks there are, those included that have ended and whose outcome is still of use."""
        return sum(key[0] == "t" for key in self.owned.segments)

    def callback(self, key: str) -> tuple[int, asyncio.Handle]:
        """The callback of a segment, and its place."""
        return self._callbacks[key]

    def forget(self, key: str) -> None:
        """A segment is about to be pickled again: no object belongs to it."""
        self._release(self.owned.disown(key))

    def remove(self, key: str) -> None:
        """A segment is not needed any more."""
        self._release(self.owned.remove(key))
        self._tasks.pop(key, None)
        self._callbacks.pop(key, None)

    def join(self, circle: list[str]) -> list[str]:
        """Make one island of several; gives the keys of what has to be pickled again."""
        values = [value for key in circle for value in self.owned.islands[key]]
        users = self.owned.users(circle)
        for key in circle:
            self.remove(key)
        return [self.owned.make_island(values), *(key for key in users if key in self.owned.segments)]

    def loose_timers(self) -> list[Timer]:
        """The timers that the kernel has to save."""
        loose = {}
        for timer in self._loose:
            waits = timer._scheduled and not timer._cancelled
            owner = self.owned.owners.get(id(timer), KERNEL)
            if waits and id(timer) not in self.owned.exported and owner == KERNEL:
                loose[id(timer)] = timer
        self._loose = list(loose.values())
        return self._loose

    def thaw(self, handle: asyncio.Handle) -> None:
        """A callback is about to run: let go of the objects that it may drop."""
        self._let_go(self._owners_of(handle))

    def _thaw_task(self, task: DurableTask) -> None:
        self._let_go([task_key(task)])

    def _let_go(self, keys: Iterable[str]) -> None:
        """Of the objects that code may drop which runs next. The segments are pickled again at the next checkpoint."""
        known = self.owned.segments
        begin = [known[key] for key in (*keys, KERNEL) if key in known]
        waiting = [key for segment in begin for key in segment.reach]
        for segment in begin:
            self._release(segment.kept)
            segment.kept = []
        while waiting:
            key = waiting.pop()
            if key not in self._thawed and key in known:  # each once: many tasks may reach the same islands
                self._thawed.add(key)
                self._release(known[key].kept)
                known[key].kept = []
                waiting += known[key].refs

    def _release(self, kept: list[Any]) -> None:
        self._loose += [each for each in kept if type(each) is Timer and each._scheduled and not each._cancelled]

    def _owners_of(self, handle: asyncio.Handle) -> Iterator[str]:
        """The segments of a callback and what it was given."""
        for value in _parts_of_callback(handle):
            entry = self.owned.exported.get(id(value))
            owner = self.owned.owners.get(id(value))
            if entry is not None:
                yield entry[0]
            elif owner is not None:
                yield owner

    def _remove_unused(self) -> None:
        gone, self._gone = self._gone, []
        for key in gone:
            if key in self.owned.segments:
                self.remove(key)
        while unused := self.owned.take_unused():
            for key in unused:
                self.remove(key)


def _parts_of_callback(handle: Any) -> Iterator[Any]:
    """A callback and what it is given, as far as it is one of the usual kinds."""
    yield handle
    callback = handle._callback
    yield from handle._args or ()
    while isinstance(callback, partial):
        yield callback
        yield from callback.args
        yield from callback.keywords.values()
        callback = callback.func
    yield callback
    yield getattr(callback, "__self__", None)


class _Round:
    """One round of pickling, until each object belongs to one segment."""

    def __init__(
        self,
        segments: Segments,
        loop: InstanceLoop,
        rest: Any,
        references: References,
        prepare: Callable[[DurableTask], None],
        codes: dict[int, CodeInfo],
        most: float,
    ) -> None:
        self.all = segments
        self.owned = segments.owned
        self.loop = loop
        self.rest = rest
        self.references = references
        self.prepare = prepare
        self.codes = codes
        self.most = most
        self.order: Order | None = None  # of the calls that open reopenable objects
        self.waiting: dict[str, None] = {}
        self.module_level = {
            id(container): place
            for container, place in zip(references.containers, references.names.container_places, strict=True)
        }

    def pickle(self, keys: list[str]) -> None:
        """Pickle these segments, and those that this takes something away from."""
        self.waiting = dict.fromkeys(keys)
        while True:
            while self.waiting:
                key = next(iter(self.waiting))
                del self.waiting[key]
                if key == KERNEL and self.waiting:
                    self.waiting[KERNEL] = None  # last: by then it is known which timers are in segments
                else:
                    self._pickle(key)
            circles = self.owned.circles()
            if not circles:
                return
            for circle in circles:
                self._again(self.all.join(circle))

    def _again(self, keys: list[str]) -> None:
        for key in keys:
            self.all.forget(key)
            self.waiting[key] = None

    def _pickle(self, key: str) -> None:
        task = self.all.task(key) if key[0] == "t" else None
        if (key[0] == "t" and task is None) or (key[0] == "o" and key not in self.owned.islands):
            return
        if task is not None:
            self.prepare(task)
        before = self.owned.segments.get(key)
        containers = list(before.containers) if before is not None else []
        self.all.forget(key)
        while True:
            pickler = SegmentPickler(self.references, self.owned, key, self.module_level)
            segment = self._pickled(pickler, self._parts(key, task), containers)
            if segment is None:
                continue
            self.all.pickled += len(segment.data)
            if self.all.pickled > self.most:
                raise TooMuch
            elsewhere, stolen = pickler.misplaced(containers, segment)
            if not elsewhere and not stolen:
                break
            for owner, value in outermost(stolen):
                elsewhere.append(value)
                self._again([owner, self.owned.make_island([value])])
            containers += [value for value in elsewhere if type(value) in EXACT]
        segment.containers = pickler.used(containers)
        self.codes.update(pickler.codes)
        for met in pickler.tasks:
            self.all.know(met)
            if task_key(met) not in self.owned.segments and task_key(met) != key:
                self.waiting[task_key(met)] = None
        self.owned.put(key, segment)

    def _pickled(self, pickler: SegmentPickler, parts: list[Any], containers: list[Any]) -> Segment | None:
        """What a pickler makes; None if the calls that come first in the kernel are others, or come in another order."""
        if pickler.key != KERNEL or pickler.entries is None:
            return pickler.pickle(parts, containers)
        others = (segment.entries for key, segment in self.owned.segments.items() if key != KERNEL)
        needed = {number: note for entries in others for number, note in entries.items()}
        if self.order is None:
            self.order = Order(needed.values())
        try:
            segment = pickler.pickle(parts, containers, self.order)
        except ComesLater as error:
            self.order.comes_later(error, pickler.entries.met | needed)
            return None
        if not self.order.is_complete(segment.entries | needed):
            return None
        refuse_busy_ones(self.order.notes.values())
        return segment

    def _parts(self, key: str, task: DurableTask | None) -> list[Any]:
        if task is not None:
            return [task_frames(task, self.references), task_record(task)]
        if key == KERNEL:
            state = loop_state(self.loop, [], self.all.loose_timers(), partial(can_be_saved, self.references))
            return [(self.rest, state), inbox_state(self.loop)]  # what waits for events is reached by way of its task only
        if key[0] == "c":
            return [(), self.all.callback(key)]
        return [self.owned.islands[key]]
