"""The pickler of snapshots: one pickle, protocol 5, by the C implementation.

Objects named in ``references`` are saved by module and name. Exact lists, dicts and the like never reach
``reducer_override``: for those see ``prelude``. Tasks are pickled by their paths; what they hold follows in pickles
of its own, then None.
The functions that build what nearly every snapshot holds are in the prelude too: they need not be looked for each time.
"""

from __future__ import annotations

import copyreg
import pickle
import re
import struct
import sys
from contextvars import Context
from types import CoroutineType, GeneratorType
from typing import Any

from ..aio.task import DurableTask
from ..frames.capture import FRAME_TYPES, SUSPENDED, FrameState, frame_of, parts_of
from ..frames.step import Step
from ..hook.code_table import CodeInfo, info_of
from ..pythons.library import PythonPickler
from ..upgrades.fields import is_struct
from .module_data.by_name import resolve, resolve_or_none
from .module_data.decorated import PARTS, fill_part, reduced_part
from .module_data.shared_locks import LOCKS
from .prelude import Prelude
from .reducers.structs import reduce_by_name
from .references import References, task_frames
from .reopened import ComesLater, Entries, Order
from .table import TABLE, reduce_by_kind
from .tasks.contexts import fill_context, new_context, reduce_context
from .tasks.foreign import reduce_foreign_frame, reduce_wait
from .tasks.frames import FRAME_TABLE, build, fill, fill_driven, is_driven_by_hand, reduce_state
from .tasks.futures import fill_own_future, new_future
from .tasks.loops import instance_loop
from .tasks.stacks import Unchanged, build_unchanged, fill_unchanged
from .tasks.tasks import new_task, task_record
from .with_blocks.lost import BOUND_METHODS, lost, lost_method

PROTOCOL = 5
_FRAME = (b"\x80", b"\x95")  # what the parts of a pickle begin with that are not the data of a large object
_find_nan = re.compile(b"G[\x7f\xff]\xf8").search  # how pickle writes it; may also be there by chance
DEEP = 1_000_000  # recursion limit for the fallback, whose recursion is in Python code
MOST_INSIDE = 100  # times that saving what makes an object leads to the object again, without an end in sight

_TABLE = {**TABLE, **FRAME_TABLE, Step: Step.__reduce__}
_BUILDERS = (
    new_task, build, fill, build_unchanged, fill_unchanged, Step, new_context, fill_context, new_future, fill_own_future,
    instance_loop, iter, range,
)  # fmt: skip


def _by_name(obj: Any, reference: tuple[Any, ...], references: References) -> Any:
    """What is found by its name, and is perhaps a part of what decorators have made."""
    module, path, *steps = reference
    found = reduced_part(obj, module, path, references.script) if not steps else None
    if found is None:
        return resolve, reference
    part, contents = found
    reduced = resolve, (module, path, (), part)
    return reduced if contents is None else (*reduced, contents, None, None, fill_part)


class _Reducing:
    """What both picklers share: which reducer saves an object."""

    references: References
    met: dict[int, FrameState | Unchanged]  # see ``Stacks``
    codes: dict[int, CodeInfo]  # the functions of the frames met, by id of their code
    tasks: dict[DurableTask, None]  # the tasks met
    driven: dict[int, bool]  # see ``is_driven_by_hand``
    entries: Entries | None  # the reopenable objects, if there may be any

    def _begin(self, references: References, entries: Entries | None = None) -> None:
        self.references = references
        self.met = references.read.met
        self.entries = entries
        self.codes, self.tasks, self.driven = {}, {}, {}

    def reducer_override(self, obj: Any) -> Any:
        references = self.references
        if references.lost:
            if id(obj) in references.lost:
                return lost, references.lost[id(obj)]
            if isinstance(obj, BOUND_METHODS) and id(obj.__self__) in references.lost:
                return lost_method, (obj.__self__, obj.__name__)
        number = id(obj)
        met = self.met.get(number)
        if met is not None:
            info = met.info
            self.codes[id(info.code)] = info
            if type(met) is Unchanged:
                return build_unchanged, (met.data, met.place), met.awaited, None, None, fill_unchanged
            return self._reduce_in_stack(obj, met)
        reference = references.by_id.get(number)
        if reference is not None:
            if number in references.unmarked:
                references.meets(number)
            return _by_name(obj, reference, references) if type(obj) in PARTS else (resolve, reference)
        entries = self.entries
        if entries is not None and (number in entries.notes.by_id or number in entries.notes.parts):
            entry = entries.reduce(obj)
            if entry is not None:
                return entry
        kind = type(obj)
        if kind is DurableTask:
            self.tasks[obj] = None
            return new_task, (obj.path,)
        if kind is Context:
            return reduce_context(obj, references.base)
        reducer = _TABLE.get(kind)
        if reducer is not None:
            if kind in FRAME_TYPES:
                return self._reduce_frame(obj, reducer)
            return reducer(obj)
        if isinstance(obj, LOCKS):
            way = references.names.way_to(obj)
            if way is not None:
                return resolve, way
        return reduce_by_kind(obj)

    def _reduce_in_stack(self, frame: Any, state: Any) -> Any:
        """A frame that a task of the instance runs."""
        if state.info.module.is_library and self.references.waits_again(frame):
            return reduce_wait(frame)
        return reduce_state(frame, state)

    def _reduce_frame(self, frame: Any, reducer: Any) -> Any:
        """A frame that no task runs, or which cannot be read."""
        info = info_of(parts_of(frame).code)
        if self._is_step(frame, info):
            return reduce_foreign_frame(frame, in_flight=True)
        if type(frame) is CoroutineType and self.references.waits_again(frame):
            return reduce_wait(frame)
        if info is not None:
            self.codes[id(info.code)] = info
            if type(frame) is GeneratorType and self.references.note_generator is not None:
                self.references.note_generator(frame)
            if type(frame) is not CoroutineType and parts_of(frame).state == SUSPENDED:
                self.references.beside.append(frame)
                state = self.references.read.beside(frame)
                if state is not None:
                    return reduce_state(frame, state)
        if type(frame) is CoroutineType and is_driven_by_hand(frame, self.driven) and not self.references.is_in_stack(frame):
            return (*reducer(frame)[:5], fill_driven)
        return reducer(frame)

    def _is_step(self, frame: Any, info: CodeInfo | None) -> bool:
        """Whether a frame that has begun is begun again on resume: one of foreign code, or asyncio's own outside an instance."""
        if info is None:
            return id(frame) in self.references.in_flight
        return info.module.is_library and not self.references.has_loop and frame_of(frame) is not None


class SnapshotPickler(_Reducing, pickle.Pickler):
    """Pickles what programs hold."""

    def __init__(self, file: Any, references: References, entries: Entries | None = None) -> None:
        super().__init__(file, PROTOCOL)
        self._begin(references, entries)


class _DeepPickler(_Reducing, PythonPickler):  # type: ignore[misc]
    """The same in Python, for graphs nested deeper than the C stack allows, or in a circle of structs. Slow."""

    def __init__(self, file: Any, references: References, entries: Entries | None = None) -> None:
        super().__init__(file, PROTOCOL)
        self._begin(references, entries)

        self._inside: dict[int, int] = {}  # by id of an object, how often what makes it is being saved

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:  # noqa: ARG002  as pickle's own, which names no objects
        """Save an object as pickle does, but with no call that recurses on the stack of C, as one with ``*args`` does."""
        self.framer.commit_frame()
        known = self.memo.get(id(obj))
        if known is not None:
            self.write(self.get(known[0]))
            return
        reduced = self.reducer_override(obj)
        if reduced is NotImplemented:
            save = self.dispatch.get(type(obj))
            if save is not None:
                save(self, obj)
                return
            reduced = _reduced(obj)
        if reduced is None or isinstance(reduced, str):
            self.save_global(obj, reduced)
            return
        func, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
        self._inside[id(obj)] = times = self._inside.get(id(obj), 0) + 1
        if times > MOST_INSIDE:
            cls = type(obj)
            name = f"{cls.__module__}.{cls.__qualname__}"
            raise pickle.PicklingError(f"what {name}.__reduce__ gives leads back to the object itself")
        self.save_reduce(func, args, state, items, pairs, setter, obj=obj)
        self._inside[id(obj)] = times - 1

    def reducer_override(self, obj: Any) -> Any:
        """How an object is pickled."""
        reduced = super().reducer_override(obj)
        return reduce_by_name(obj) if reduced is NotImplemented and is_struct(type(obj)) else reduced


class _NanPickler(SnapshotPickler):
    """For graphs with nan, whose identity shows (``nan in [nan]``); it asks about every object, so is not the rule."""

    def persistent_id(self, obj: Any) -> Any:
        """Which nan it is, and its bits."""
        return (id(obj), struct.pack(">d", obj)) if type(obj) is float and obj != obj else None


def _reduced(obj: Any) -> Any:
    """What makes an object; None for a class, which is saved by its name."""
    reduce = copyreg.dispatch_table.get(type(obj))
    if reduce is not None:
        return reduce(obj)
    return None if isinstance(obj, type) else obj.__reduce_ex__(PROTOCOL)


def dumps(value: Any, references: References) -> bytes:
    """Pickle ``value``."""
    return b"".join(dump_chunks(value, references)[0])


def can_be_saved(references: References, value: Any) -> bool:
    """Whether ``value`` can be pickled."""
    try:
        dumps(value, references)
    except Exception:  # whatever the reason: it is made again
        return False
    return True


Chunks = list[bytes]  # a pickle as it was written: large bytes objects as they are, the rest cut about every 64 KiB


def dump_chunks(value: Any, references: References) -> tuple[Chunks, dict[int, CodeInfo]]:
    """Pickle ``value``; gives also the functions of the coroutines and generators met, by id of their code."""
    notes = references.notes
    return _by_kind(value, references, Entries(notes, is_probe=True) if notes is not None else None, None)


def dump_state(value: Any, references: References) -> tuple[Chunks, dict[int, CodeInfo]]:
    """The same of the whole state of an instance: before it come the calls that open its reopenable objects again."""
    notes = references.notes
    if notes is None or notes.are_none:
        return _by_kind(value, references, None, None)
    order = Order(notes.needed.values())
    while True:
        entries = Entries(notes)
        try:
            dumped = _by_kind(value, references, entries, order)
        except ComesLater as error:
            order.comes_later(error, entries.met)
        except Exception:
            if not order.starts_over():
                raise
        else:
            if order.is_complete(entries.met):
                notes.needed = entries.met
                return dumped


def _by_kind(
    value: Any, references: References, entries: Entries | None, order: Order | None
) -> tuple[Chunks, dict[int, CodeInfo]]:
    """Pickle by the quickest pickler that can."""
    try:
        chunks, codes = _dump(SnapshotPickler, value, references, entries, order)
        for chunk in chunks:
            if chunk[:1] in _FRAME and _find_nan(chunk):
                chunks, codes = _dump(_NanPickler, value, references, entries, order)
                break
    except RecursionError:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(DEEP)
        try:
            chunks, codes = _dump(_DeepPickler, value, references, entries, order)
        finally:
            sys.setrecursionlimit(limit)
    return chunks, codes


class _Sink:
    """What a pickler writes to."""

    __slots__ = ("chunks",)

    def __init__(self) -> None:
        self.chunks: Chunks = []

    def write(self, chunk: Any) -> None:
        """Keep bytes as they are; a large bytearray, or a view of a buffer, is copied."""
        self.chunks.append(chunk if type(chunk) is bytes else bytes(chunk))


def _dump(
    kind: Any, value: Any, references: References, entries: Entries | None, order: Order | None
) -> tuple[Chunks, dict[int, CodeInfo]]:
    file = _Sink()
    pickler = kind(file, references, entries)
    names, has_loop = references.names, references.has_loop
    first = references.first if has_loop else None
    known = names.preludes.get(has_loop)
    if known is None or known[0] != first:
        others = _BUILDERS if has_loop else ()  # they would be most of a record, such as a call
        places = [(resolve_or_none, *place) for place in names.container_places]
        known = names.preludes[has_loop] = first, Prelude(places, others, first)
    known[1].begin(pickler, file, references.containers)
    if entries is not None and order is not None:
        for call in entries.calls(order):
            pickler.dump(call)
    pickler.dump(value)
    done = 0
    while done < len(pickler.tasks):  # what they hold may lead to further ones
        for task in list(pickler.tasks)[done:]:
            done += 1
            pickler.dump((task.path, task_frames(task, references), task_record(task)))
    pickler.dump(None)
    if references.reached is not None and references.reached.sought:
        memo = pickler.memo
        references.has_found |= references.reached.has_found(memo if type(memo) is dict else memo.copy())
    return file.chunks, pickler.codes
