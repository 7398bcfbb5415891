"""Snapshots of instances with many tasks, in segments: what has not changed is not pickled again.

A segment holds one task, or a callback that is ready, or an *island*: objects that several segments refer to; or the rest, the
*kernel*. Each segment is a
pickle of its own. Each object belongs to one segment only: the pickler's memo tells which objects went into a pickle, and one
that belongs to another segment already becomes an island, to which both refer. Islands that refer to one another in a circle
are made one, so that each can be loaded as a whole before those that refer to it. Tasks are referred to by path.

At a checkpoint these segments are pickled again: the kernel, each task that was touched (it took a step, or one of its methods
was called), and each island that the code which ran may have reached, to begin with by what the segments referred to before.
"""

from __future__ import annotations

import asyncio
import gc
import io
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ..errors import SnapshotFormatError
from ..frames.discard import discard
from ..scheduling.loop import InstanceLoop
from ..scheduling.task import _NO_CONTEXT, DurableTask
from ..scheduling.timers import Timer
from . import fixups
from .asyncio_state import Loading, fill_task, innermost, loading, loop_state, new_task, task_frames, task_record
from .modules import References, resolve_or_none
from .pickler import SnapshotPickler, SnapshotUnpickler, StandIn, give_places

KERNEL = "k"
_NO_IDENTITY: frozenset[type] = frozenset(
    {
        str, bytes, int, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented), range, slice,
        BuiltinFunctionType, MethodType, ModuleType, CodeType, ContextVar, DurableTask, InstanceLoop, StandIn,
    }
)  # fmt: skip
_EXACT = (list, dict, set, frozenset, tuple, bytearray)  # never shown to ``reducer_override``


def task_key(task: DurableTask) -> str:
    """The name of a task's segment."""
    return "t" + task.path


@dataclass
class Segment:
    """What is known of a pickled segment."""

    data: bytes = b""
    refs: set[str] = field(default_factory=set)  # islands that it refers to
    reach: set[str] = field(default_factory=set)  # ... those that the program's code can reach from it
    containers: list[Any] = field(default_factory=list)  # that belong elsewhere, and are no classes' instances
    ids: list[int] = field(default_factory=list)  # of the objects that belong to it
    kept: list[Any] = field(default_factory=list)  # these objects, as long as it is unchanged: their ids stay theirs
    age: int = 0  # how often it was pickled


class Segments:
    """The segments of one instance in this process. ``changed`` collects what a store has not been told of yet."""

    def __init__(self) -> None:
        self.segments: dict[str, Segment] = {}
        self.changed: dict[str, bytes | None] = {}  # None: gone
        self._owners: dict[int, str] = {}  # segments by id of an object
        self._exported: dict[int, tuple[str, int]] = {}  # by id of an object: its island and its place there
        self._islands: dict[str, list[Any]] = {}
        self._callbacks: dict[str, tuple[int, asyncio.Handle]] = {}
        self._tasks: dict[str, weakref.ref[DurableTask]] = {}
        self._gone: list[str] = []  # keys of tasks that nobody knows any more
        self._thawed: set[str] = set()  # islands that have let go of their objects since the last checkpoint
        self._loose: list[Timer] = []  # timers that perhaps no task or island refers to
        self._uses: Counter[str] = Counter()  # how many segments refer to an island
        self._has_new_links = False  # whether islands may have got into a circle
        self._last_island = 0

    # --- saving

    def encode(
        self, loop: InstanceLoop, rest: Any, references: References, prepare: Callable[[DurableTask], None], frames: list[Any]
    ) -> bytes:  # fmt: skip
        """Pickle what may have changed; gives the kernel. ``rest`` goes into it.

        ``prepare`` is called with each task before it is pickled. Appends the frames met to ``frames``. Whatever pickling
        raises, the segments are of no use afterwards.
        """
        loop.on_step = self._thaw
        touched = loop.touched if self.segments else set(loop.tasks)
        callbacks = loop.changed_callbacks if self.segments else dict(loop.callbacks.values())
        dirty = {task_key(task): None for task in touched if task_key(task) in self.segments or not task.done()}
        for task in touched:
            self._know(task)
        for place, handle in callbacks.items():
            if handle is None:
                self.remove(f"c{place}")
            else:
                self._callbacks[f"c{place}"] = place, handle
                dirty[f"c{place}"] = None
        reached = {KERNEL, *self._owners_of_callbacks(loop)}
        for key in (*dirty, KERNEL, *reached):
            reached |= self.segments[key].reach if key in self.segments else set()
        dirty.update(dict.fromkeys(k for k in self._closure(reached) if k != KERNEL and k in self.segments))
        self._loose += loop.new_timers if self.segments else loop.timers
        run = _Run(self, loop, rest, references, prepare, frames)
        for key in (*dirty, KERNEL):
            self.forget(key)
        run.pickle([*dirty, KERNEL])
        self._thawed.clear()
        self._remove_unused()
        loop.is_saved()
        return self.segments[KERNEL].data

    def _know(self, task: DurableTask) -> None:
        key = task_key(task)
        if key not in self._tasks:
            self._tasks[key] = weakref.ref(task, lambda _: self._gone.append(key))

    def task(self, key: str) -> DurableTask | None:
        """The task of a segment."""
        reference = self._tasks.get(key)
        return reference() if reference is not None else None

    def _thaw(self, task: DurableTask) -> None:
        """A task is about to change: let go of the objects that it may drop."""
        segment = self.segments.get(task_key(task))
        if segment is not None:
            self._release(segment)
            waiting = list(segment.reach)
            while waiting:
                key = waiting.pop()
                if key not in self._thawed and key in self.segments:  # each once: many tasks may reach the same islands
                    self._thawed.add(key)
                    self._release(self.segments[key])
                    waiting += self.segments[key].refs

    def _release(self, segment: Segment) -> None:
        self._loose += [each for each in segment.kept if type(each) is Timer and each._scheduled and not each._cancelled]
        segment.kept = []

    def _owners_of_callbacks(self, loop: InstanceLoop) -> Iterator[str]:
        """The segments of what the callbacks that have run were given."""
        for handle in loop.called:
            for value in _parts_of_callback(handle):
                owner = self._owners.get(id(value))
                entry = self._exported.get(id(value))
                if entry is not None:
                    yield entry[0]
                elif owner is not None:
                    yield owner

    def _closure(self, keys: set[str]) -> set[str]:
        """Islands with all that they lead to."""
        found: set[str] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in found and key in self.segments:
                found.add(key)
                segment = self.segments[key]
                waiting += segment.reach if key == KERNEL else segment.refs
        return found

    def forget(self, key: str) -> None:
        """A segment is about to be pickled again: no object belongs to it."""
        segment = self.segments.get(key)
        if segment is None:
            return
        for number in segment.ids:
            if self._owners.get(number) == key:
                del self._owners[number]
        self._release(segment)
        segment.ids = []

    def make_island(self, values: list[Any]) -> str:
        """A new island of these objects."""
        self._last_island += 1
        key = f"o{self._last_island}"
        self._islands[key] = values
        for place, value in enumerate(values):
            self._exported[id(value)] = key, place
        return key

    def entry(self, value: Any) -> tuple[str, int] | None:
        """Island and place of an object that is part of one by name."""
        return self._exported.get(id(value))

    def count_tasks(self) -> int:
        """How many tasks there are, those included that have ended and whose outcome is still of use."""
        return sum(key[0] == "t" for key in self.segments)

    def is_island(self, key: str) -> bool:
        """Whether it still is one: it may have become part of another."""
        return key in self._islands

    def callback(self, key: str) -> tuple[int, asyncio.Handle]:
        """The callback of a segment, and its place."""
        return self._callbacks[key]

    def island(self, key: str) -> list[Any]:
        """The objects of an island."""
        return self._islands[key]

    def owner(self, number: int) -> str | None:
        """The segment that the object with this id belongs to."""
        return self._owners.get(number)

    def put(self, key: str, segment: Segment) -> None:
        """A segment was pickled."""
        before = self.segments.get(key)
        for number in segment.ids:
            self._owners[number] = key
        self._count(before, segment)
        self._has_new_links = self._has_new_links or (key in self._islands and before is None) or bool(
            key in self._islands and before is not None and segment.refs - before.refs
        )
        segment.age = before.age + 1 if before is not None else 0
        self.segments[key] = segment
        if key != KERNEL and (before is None or before.data != segment.data):
            self.changed[key] = segment.data

    def remove(self, key: str) -> None:
        """A segment is not needed any more."""
        self.forget(key)
        self._count(self.segments.get(key), None)
        self._tasks.pop(key, None)
        self._callbacks.pop(key, None)
        for value in self._islands.pop(key, ()):
            if self._exported.get(id(value), ("", 0))[0] == key:
                del self._exported[id(value)]
        if self.segments.pop(key, None) is not None:
            self.changed[key] = None

    def _count(self, before: Segment | None, after: Segment | None) -> None:
        if before is not None:
            self._uses.subtract(before.refs)
        if after is not None:
            self._uses.update(after.refs)

    def loose_timers(self) -> list[Timer]:
        """The timers that the kernel has to save."""
        loose = {}
        for timer in self._loose:
            waits = timer._scheduled and not timer._cancelled
            if waits and id(timer) not in self._exported and self._owners.get(id(timer), KERNEL) == KERNEL:
                loose[id(timer)] = timer
        self._loose = list(loose.values())
        return self._loose

    def _remove_unused(self) -> None:
        gone, self._gone = self._gone, []
        for key in gone:
            if key in self.segments:
                self.remove(key)
        while unused := [key for key in self._islands if self._uses[key] <= 0]:
            for key in unused:
                self.remove(key)
                del self._uses[key]

    def circles(self) -> list[list[str]]:
        """Islands that refer to one another in a circle (Tarjan's strongly connected components, without recursion)."""
        if not self._has_new_links:
            return []
        self._has_new_links = False
        index: dict[str, int] = {}
        low: dict[str, int] = {}
        on_stack: set[str] = set()
        stack: list[str] = []
        found: list[list[str]] = []
        for start in self._islands:
            if start in index:
                continue
            work: list[tuple[str, Iterator[str]]] = [(start, iter(self._links(start)))]
            index[start] = low[start] = len(index)
            stack.append(start)
            on_stack.add(start)
            while work:
                key, links = work[-1]
                for other in links:
                    if other not in index:
                        index[other] = low[other] = len(index)
                        stack.append(other)
                        on_stack.add(other)
                        work.append((other, iter(self._links(other))))
                        break
                    if other in on_stack:
                        low[key] = min(low[key], index[other])
                else:
                    work.pop()
                    if work:
                        low[work[-1][0]] = min(low[work[-1][0]], low[key])
                    if low[key] == index[key]:
                        circle = []
                        while True:
                            circle.append(stack.pop())
                            on_stack.discard(circle[-1])
                            if circle[-1] == key:
                                break
                        if len(circle) > 1:
                            found.append(circle)
        return found

    def _links(self, key: str) -> list[str]:
        return [other for other in self.segments[key].refs if other in self._islands] if key in self.segments else []

    def join(self, circle: list[str]) -> list[str]:
        """Make one island of several; gives the keys of what has to be pickled again."""
        values = [value for key in circle for value in self._islands[key]]
        for key in circle:
            self.remove(key)
        joined = self.make_island(values)
        gone = set(circle)
        return [joined, *(key for key, segment in self.segments.items() if segment.refs & gone)]


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


class _Run:
    """One round of pickling, until each object belongs to one segment."""

    def __init__(
        self, segments: Segments, loop: InstanceLoop, rest: Any, references: References, prepare: Callable[[DurableTask], None],
        frames: list[Any],
    ) -> None:  # fmt: skip
        self.all = segments
        self.loop = loop
        self.rest = rest
        self.references = references
        self.prepare = prepare
        self.frames = frames
        self.waiting: dict[str, None] = {}

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
            circles = self.all.circles()
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
        if (key[0] == "t" and task is None) or (key[0] == "o" and not self.all.is_island(key)):
            return
        if task is not None:
            self.prepare(task)
        before = self.all.segments.get(key)
        # Of some that were met before nobody may know any more: from time to time they are found out anew.
        containers = list(before.containers) if before is not None and before.age % 16 else []
        self.all.forget(key)
        while True:
            pickler = SegmentPickler(self.references, self.all, key)
            segment = pickler.pickle(self._parts(key, task), containers)
            elsewhere, stolen = pickler.misplaced(containers, segment)
            if not elsewhere and not stolen:
                break
            for owner, value in _outermost(stolen):
                elsewhere.append(value)
                self._again([owner, self.all.make_island([value])])
            containers += [value for value in elsewhere if type(value) in _EXACT]
        self.frames += pickler.frames
        for met in pickler.tasks:
            self.all._know(met)
            if task_key(met) not in self.all.segments and task_key(met) != key:
                self.waiting[task_key(met)] = None
        self.all.put(key, segment)

    def _parts(self, key: str, task: DurableTask | None) -> list[Any]:
        if task is not None:
            return [task_frames(task, self.references), task_record(task)]
        if key == KERNEL:
            state = loop_state(self.loop, [], self.all.loose_timers())
            return [(self.rest, state), state.pop("inbox")]  # who waits for events is reached by way of its task only
        if key[0] == "c":
            return [(), self.all.callback(key)]
        return [self.all.island(key)]


class SegmentPickler(SnapshotPickler):
    """Pickles one segment; what belongs to islands is referred to."""

    def __init__(self, references: References, segments: Segments, key: str) -> None:
        self.file = io.BytesIO()
        super().__init__(self.file, references)
        self.all = segments
        self.key = key
        self.referred: set[int] = set()
        self.refs: set[str] = set()

    def reducer_override(self, obj: Any) -> Any:
        entry = self.all.entry(obj)
        if entry is not None and entry[0] != self.key:
            self.referred.add(id(obj))
            self.refs.add(entry[0])
            key, place = entry
            return shared, (key, place)  # a tuple of its own: pickled in two segments, it would become an island itself
        return super().reducer_override(obj)

    def pickle(self, parts: list[Any], containers: list[Any]) -> Segment:
        """Pickle the parts; the program's code can reach the first one."""
        places: list[tuple[Any, ...]] = []
        names = self.references.container_names
        module_level = {id(c): place for c, place in zip(self.references.containers, names, strict=True)}
        containers[:] = [c for c in containers if id(c) in module_level or self._is_elsewhere(c)]
        for container in containers:
            entry = self.all.entry(container)
            if id(container) in module_level:
                places.append((resolve_or_none, *module_level[id(container)]))
            elif entry is not None:
                self.refs.add(entry[0])
                places.append((shared, *entry))
        give_places(self, places, containers)
        segment = Segment(containers=containers)
        for number, part in enumerate(parts):
            self.dump(part)
            if number == 0:
                segment.reach = set(self.refs)
        segment.refs = self.refs
        segment.data = self.file.getvalue()
        return segment

    def _is_elsewhere(self, container: Any) -> bool:
        entry = self.all.entry(container)
        return entry is not None and entry[0] != self.key

    def misplaced(self, containers: list[Any], segment: Segment) -> tuple[list[Any], list[tuple[str, Any]]]:
        """What went into the pickle although it is kept elsewhere; and what belongs to other segments, with these."""
        elsewhere: list[Any] = []
        stolen: list[tuple[str, Any]] = []
        before = {id(container) for container in containers}
        references = self.references
        memo = self.memo.copy()
        attributes = {id(_attributes(value)) for _, value in memo.values() if type(value).__dictoffset__}
        elsewhere_by_id = attributes | before | self.referred | references.by_id.keys() | references.lost.keys()
        for number, (_, value) in memo.items():
            if type(value) in _NO_IDENTITY or _is_found_by_name(value) or number in elsewhere_by_id:
                continue
            entry = self.all.entry(value)
            if number in references.container_ids:
                elsewhere.append(value)
            elif entry is not None:
                if entry[0] != self.key:
                    elsewhere.append(value)
            elif (owner := self.all.owner(number)) is not None and owner != self.key:
                stolen.append((owner, value))
            else:
                segment.ids.append(number)
                segment.kept.append(value)
        return elsewhere, stolen


def _outermost(stolen: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Those that no other one of them leads to directly: what they lead to comes with them."""
    values = [value for _, value in stolen]
    inner = {id(r) for r in gc.get_referents(*values, *(_attributes(v) for v in values if type(v).__dictoffset__))}
    return [pair for pair in stolen if id(pair[1]) not in inner] or stolen[:1]


def _attributes(value: Any) -> Any:
    """The dict of an instance, which is a part of it: never an object that others refer to."""
    try:
        return object.__getattribute__(value, "__dict__")
    except AttributeError:  # futures do not show theirs
        return None


def _is_found_by_name(value: Any) -> bool:
    """Whether an object is pickled as the name of something at module level."""
    if isinstance(value, (type, FunctionType)):
        return "<" not in value.__qualname__
    return isinstance(value, Enum) or value is _NO_CONTEXT


# --- loading


def shared(key: str, place: int) -> Any:
    """An object of an island."""
    found = innermost()
    if key not in found.islands:
        found.islands[key] = None
        found.islands[key] = _load_parts(found.segments[key])[0]
    if found.islands[key] is None:
        raise SnapshotFormatError(f"the segments of the snapshot refer to one another in a circle, by way of {key!r}")
    return found.islands[key][place]


def _load_parts(data: bytes) -> list[Any]:
    """The parts of a segment."""
    file = io.BytesIO(data)
    unpickler = SnapshotUnpickler(file)
    unpickler.load()
    parts = []
    while file.tell() < len(data):
        parts.append(unpickler.load())
    return parts


def load_segments(kernel: bytes, segments: dict[str, bytes]) -> tuple[Any, Loading]:
    """What ``Segments.encode`` saved: the rest, the loop's state; and the loop with its tasks."""

    def read() -> tuple[Any, Loading]:
        with loading() as found:
            found.segments = segments
            state, inbox = _load_parts(kernel)
            state[1]["inbox"] = inbox
            for key in segments:
                if key[0] == "t":
                    new_task(key[1:])
                elif key[0] == "c":
                    state[1]["callbacks"].append(_load_parts(segments[key])[1])
            while found.missing:
                task = found.missing.pop()
                fill_task(task, *_load_parts(segments[task_key(task)]))
            return state, found

    loaded: tuple[Any, Loading] = fixups.load(read, discard)
    return loaded
