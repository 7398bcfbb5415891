"""The parts of a snapshot: its tasks, with what each holds, the loop, events, and module-level data; all as nodes of a graph.

It is the decoder's counterpart that makes nothing: see ``snapshot.payload`` for the layout, ``snapshot.tasks`` for the records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ..errors import SnapshotFormatError
from ..holds.opening import MAKE
from ..snapshot.incremental.segments import KERNEL
from ..snapshot.names import MODULE, module_today
from ..snapshot.payload import COMPLETE, IN_PIECES, IN_SEGMENTS, check_format
from .frames import SavedFrame, frame_of
from .graph import Items, Made, Named, is_made, items_of
from .pickles import Reader, damaged

_REOPENED = ("reopened", "reopened.by_function")
_ELSEWHERE = tuple(Named(MODULE, name) for name in ("island", "itself", *_REOPENED))  # make what only says where an object is
_NAMING = ("class.with_fields", "by_name", "by_name_or_none")  # make what has a name: their first arguments
_PARTS_OF_OPENING = 5  # at least, if it makes something: what, number, class, function, arguments, keywords
MakeReader = Callable[[bytes], Reader]
_RECORD = 12  # parts of the record of a task
_LEAPS = 1000  # from one island to another, to the object


@dataclass(frozen=True)
class SavedTask:
    """A task as it was saved. ``frames``: outermost first. ``step``: what it runs, if that is one step and no frame.

    ``future``: what it waits for, if that is a future or task. ``number``: of the step that it is at. ``is_in_step``: whether
    that has begun. ``is_ready``: whether it is about to go on. ``outcome``: 'pending', 'done', 'failed' or 'cancelled', with
    ``value``, the result or exception. ``record``: its parts, the name first.
    """

    path: str
    name: str
    frames: tuple[SavedFrame, ...]
    step: Any
    future: Any
    number: int
    is_in_step: bool
    is_ready: bool
    outcome: str
    value: Any
    record: list[Any] = field(default_factory=list)

    @property
    def awaited(self) -> Any:
        """What its innermost frame awaits, or what it runs itself."""
        return self.frames[-1].awaited if self.frames else self.step


@dataclass
class SavedState:
    """A snapshot that was read. Objects that several segments share are read when somebody looks at them.

    ``facts``: what was sealed with it, by name, and ``facts_kept`` the pairs as they were read. ``contents``: module-level data
    of the program, by name. ``openings``: the calls that make and open reopenable objects. ``incarnation``: what tells this run
    of the instance from others.
    """

    tasks: dict[str, SavedTask] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    facts_kept: list[tuple[Any, Any]] = field(default_factory=list)
    contents: dict[str, Any] = field(default_factory=dict)
    openings: list[Made] = field(default_factory=list)
    loop: list[Any] | None = None
    inbox: Any = None
    _reader: MakeReader = Reader
    _segments: dict[str, bytes] = field(default_factory=dict)
    _islands: dict[str, list[Any]] = field(default_factory=dict)

    @property
    def root(self) -> SavedTask | None:
        """The task of the outermost function."""
        if self.loop is None:
            return self.tasks.get("")
        return self.tasks.get(task_path(self.loop[0]) or "")

    @property
    def incarnation(self) -> str:
        """See the class."""
        found = self.loop[6] if self.loop is not None else ""
        return found if type(found) is str else ""

    def resolve(self, node: Any) -> Any:
        """A node itself, for one that only says where it is. Raises SnapshotFormatError."""
        for _ in range(_LEAPS):
            if type(node) is not Made or node.function not in _ELSEWHERE:
                return node
            if node.ours == "island":
                node = self._shared(node.arguments)
            elif node.ours in _REOPENED:
                return self._opened.get(node.arguments[0] if node.arguments else None, node)
            elif len(node.arguments) == 1:
                (node,) = node.arguments
            else:
                return node
        raise damaged("an object that several tasks share is only said to be elsewhere")

    @cached_property
    def _opened(self) -> dict[Any, Made]:
        """The calls that make reopenable objects, by the numbers of these."""
        found: dict[Any, Made] = {}
        for opening in self.openings:
            what, number, *details = opening.arguments if len(opening.arguments) > _PARTS_OF_OPENING else ("", 0)
            if what == MAKE and type(number) is int:
                cls, function, arguments, keywords = details[:4]
                given = [items_of(each, "tuple", "list", "dict") or [] for each in (arguments, keywords)]
                found[number] = Made(function if cls is None else cls, given[0], Items("dict", given[1]))
        return found

    def _shared(self, place: list[Any]) -> Any:
        if [type(part) for part in place] != [str, int] or place[0] not in self._segments:
            raise damaged(f"it refers to a segment that is not there ({place[0] if place else 'without a name'!r})")
        key, number = place
        if key not in self._islands:
            found = _parts(self._reader, self._segments[key], 1)[0]
            self._islands[key] = _list(found, "what several tasks share")
        if not 0 <= number < len(self._islands[key]):
            raise damaged(f"its segment {key!r} has no object {number}")
        return self._islands[key][number]

    def nodes(self) -> Iterator[Any]:
        """Each node of the graph that is not a value, once."""
        seen: set[int] = set()
        waiting: list[Any] = [self.openings, self.contents, self.inbox, self.loop, self.facts]
        waiting += [part for task in self.tasks.values() for part in (task.step, task.future, task.value)]
        waiting += [frame.node for task in self.tasks.values() for frame in task.frames]
        kept = []  # so that the ids stay theirs
        while waiting:
            node = self.resolve(waiting.pop())
            if node is None or type(node) in (bool, int, float, str, bytes) or id(node) in seen:
                continue
            seen.add(id(node))
            kept.append(node)
            if type(node) in (Items, Made, Named):
                yield node
            waiting += _inside(node)

    @cached_property
    def names(self) -> frozenset[tuple[str, str]]:
        """Classes, functions and objects that it names, by module and qualified name."""
        found = set()
        for node in self.nodes():
            if type(node) is Named and node.module != MODULE:
                found.add((node.module, node.name))
            elif type(node) is Made and node.ours in _NAMING and _are_texts(node.arguments[:2], 2):
                found.add((node.arguments[0], node.arguments[1]))
        return frozenset(found)

    @cached_property
    def functions(self) -> frozenset[tuple[str, str, str]]:
        """Functions of rewritten code that variables hold and no name leads to: module, place and digest."""
        made = (node for node in self.nodes() if is_made(node, "function", "generator_function"))
        places = (node.arguments[:3] for node in made if _are_texts(node.arguments[:3], 3))
        return frozenset((module_today(module), place, digest) for module, place, digest in places)

    @cached_property
    def frames(self) -> list[SavedFrame]:
        """All of them: those that tasks run, and those that variables hold."""
        found = (frame_of(node, self.resolve) for node in self.nodes() if type(node) is Made)
        return [frame for frame in found if frame is not None]


def _inside(node: Any) -> list[Any]:
    if type(node) is Items:
        return [part for pair in node.items for part in pair] if node.kind == "dict" else node.items
    if type(node) is Made:
        pairs = [part for pair in node.pairs for part in pair]
        states = [part for state in node.states for part in state]
        return [node.function, *node.arguments, node.keywords, *states, *node.items, *pairs]
    if isinstance(node, dict):
        return list(node.values())
    return list(node) if isinstance(node, list) else []


def read_state(payload: bytes, segments: dict[str, bytes] | None = None, reader: MakeReader = Reader) -> SavedState:
    """The state in an authenticated payload, with its segments or pieces, if it is not complete by itself.

    ``reader`` makes what reads a pickle. Nothing is imported, no code is run. Raises SnapshotFormatError for another format, and
    for bytes that are no snapshot.
    """
    check_format(payload)
    kind, data, segments = payload[2:3], payload[3:], segments or {}
    try:
        if kind == IN_SEGMENTS:
            return _in_segments(data, segments, reader)
        if kind == IN_PIECES:
            return _whole(joined(data, segments), reader)
        if kind == COMPLETE:
            return _whole(data, reader)
    except SnapshotFormatError:
        raise
    except (LookupError, TypeError, ValueError, OverflowError, MemoryError, RecursionError) as error:
        raise damaged(f"its parts are not those of a snapshot ({type(error).__name__}: {error})") from error
    raise damaged(f"it is of the kind {kind!r}, of which there is none")


def joined(kernel: bytes, pieces: dict[str, bytes]) -> bytes:
    """A pickle that was cut into pieces. Raises SnapshotFormatError if one is missing."""
    parts = _list(Reader(kernel).load(), "the list of its pieces")
    missing = [part for part in parts if type(part) is str and part not in pieces]
    if missing:
        raise damaged(f"its piece {missing[0]!r} is missing")
    return b"".join(pieces[part] if type(part) is str else _bytes(part) for part in parts)


def _whole(data: bytes, make: MakeReader) -> SavedState:
    reader, state = make(data), SavedState(_reader=make)
    reader.load()  # the prelude
    stack, facts, contents, loop, inbox, _ = _tuple(_openings(reader, state), 6, "the state")
    state.facts_kept = items_of(facts, "dict") or []
    state.facts, state.contents, state.inbox = _names(facts), _names(contents), inbox
    while (held := reader.load()) is not None:
        path, frames, record = _tuple(held, 3, "a task")
        state.tasks[_text(path)] = _task(state, path, frames, record)
    if loop is None:
        frames = _frames(state, stack)
        if frames:
            state.tasks[""] = SavedTask("", "", frames, None, None, 0, False, False, "pending", None)
    else:
        state.loop = _tuple(loop, 8, "the loop")
    return state


def _in_segments(kernel: bytes, segments: dict[str, bytes], make: MakeReader) -> SavedState:
    reader, state = make(kernel), SavedState(_reader=make)
    state._segments = {key: data for key, data in segments.items() if key != KERNEL}
    reader.load()
    rest, loop = _tuple(_openings(reader, state), 2, "the kernel")
    facts, contents = _tuple(rest, 2, "the kernel")
    state.facts_kept = items_of(facts, "dict") or []
    state.facts, state.contents, state.inbox = _names(facts), _names(contents), reader.load()
    state.loop = _tuple(loop, 8, "the loop")
    for key, data in segments.items():
        if key[:1] == "t":
            frames, record = _parts(make, data, 2)
            state.tasks[key[1:]] = _task(state, key[1:], frames, record)
    return state


def _parts(make: MakeReader, data: bytes, count: int) -> list[Any]:
    """The parts of a segment, behind its prelude."""
    reader = make(data)
    reader.load()
    found = reader.all()
    if len(found) != count:
        raise damaged(f"a segment has {len(found)} parts, {count} are in it")
    return found


def _openings(reader: Reader, state: SavedState) -> Any:
    """What follows the calls that open what is reopenable."""
    while type(value := reader.load()) is Made and value.ours == "reopening":
        state.openings.append(value)
    return value


def _task(state: SavedState, path: str, held: Any, record: Any) -> SavedTask:
    frames, _, step, _, _ = _tuple(held, 5, f"the frames of task {path!r}")
    parts = _tuple(record, _RECORD, f"the record of task {path!r}")
    future = items_of(parts[11], "tuple") or []
    if len(future) < 2 or type(future[0]) is not str:
        raise damaged(f"the outcome of task {path!r} is none")
    begun = state.resolve(parts[9])
    return SavedTask(
        path=path,
        name=_text(parts[0]),
        frames=_frames(state, frames),
        step=state.resolve(step),
        future=state.resolve(parts[4]),
        number=parts[6] if type(parts[6]) is int else 0,
        is_in_step=begun != 0,
        is_ready=parts[10] is not None,
        outcome=future[0],
        value=future[1],
        record=parts,
    )


def _frames(state: SavedState, stack: Any) -> tuple[SavedFrame, ...]:
    """Outermost first. A call that is made again is none: it is what the frame around it awaits."""
    found = [frame_of(state.resolve(node), state.resolve) for node in _list(stack, "a stack")]
    return tuple(frame for frame in reversed(found) if frame is not None)


def task_path(node: Any) -> str | None:
    """The path of the task that a node stands for; None for others."""
    if is_made(node, "task") and _are_texts(node.arguments, 1):
        return str(node.arguments[0])
    return None


# --- what a node has to be


def _are_texts(nodes: list[Any], count: int) -> bool:
    return len(nodes) == count and all(type(node) is str for node in nodes)


def _tuple(node: Any, count: int, what: str) -> list[Any]:
    found = items_of(node, "tuple")
    if found is None or len(found) != count:
        raise damaged(f"{what} does not have its {count} parts")
    return found


def _list(node: Any, what: str) -> list[Any]:
    found = items_of(node, "list")
    if found is None:
        raise damaged(f"{what} is no list")
    return found


def _names(node: Any) -> dict[str, Any]:
    found = items_of(node, "dict")
    if found is None or not all(type(key) is str for key, _ in found):
        raise damaged("what belongs to names has none")
    return dict(found)


def _text(node: Any) -> str:
    if type(node) is not str:
        raise damaged("the name of a task is no text")
    return node


def _bytes(node: Any) -> bytes:
    if type(node) is not bytes:
        raise damaged("a piece of it is neither here nor named")
    return node
