"""The pickler of snapshots: one pickle, protocol 5, by the C implementation.

Objects named in ``references`` are saved by module and name. Exact lists, dicts and the like never reach
``reducer_override``. For those a prelude is pickled first, of stand-ins that load as the objects themselves; then the
stand-ins' places in the memo are given to the objects. Tasks are pickled by their paths; what they hold follows in pickles
of its own, then None.
The functions that build what nearly every snapshot holds are in the prelude too: they need not be looked for each time.
"""

from __future__ import annotations

import io
import pickle
import re
import struct
import sys
from contextvars import Context
from types import CoroutineType, FunctionType
from typing import Any

from ..aio.task import DurableTask
from ..frames.capture import FRAME_TYPES, FrameState, frame_of, parts_of
from ..frames.step import Leaf
from ..hook.code_table import CodeInfo, info_of
from ..pythons.library import PythonPickler
from ..pythons.moved import place_today
from .iterators.native_forms import NativeFormsUnpickler, has_native_forms, native_form
from .load_context import LoadContext, load
from .module_data.modules import resolve, resolve_or_none
from .names import MODULE, find_former, is_internal, is_ours, reference_to, registered
from .reducers.table import TABLE, reduce_by_kind
from .references import References
from .tasks.asyncio_state import (
    fill_context,
    fill_own_future,
    fill_task,
    instance_loop,
    new_context,
    new_future,
    new_task,
    reduce_context,
    task_frames,
    task_record,
)
from .tasks.foreign import reduce_foreign_frame, reduce_wait
from .tasks.frames import FRAME_TABLE, build, fill, fill_driven, is_driven_by_hand, reduce_state
from .tasks.library import is_standard, missing
from .tasks.stacks import Unchanged, build_unchanged, fill_unchanged
from .with_blocks.managers import BOUND_METHODS, lost, lost_method

PROTOCOL = 5
_FRAME = (b"\x80", b"\x95")  # what the parts of a pickle begin with that are not the data of a large object
_find_nan = re.compile(b"G[\x7f\xff]\xf8").search  # how pickle writes it; may also be there by chance
DEEP = 1_000_000  # recursion limit for the fallback, whose recursion is in Python code

_TABLE = {**TABLE, **FRAME_TABLE, Leaf: Leaf.__reduce__}
_BUILDERS = (
    new_task, build, fill, build_unchanged, fill_unchanged, Leaf, new_context, fill_context, new_future, fill_own_future,
    instance_loop, iter, range,
)  # fmt: skip


class _Reducing:
    """What both picklers share: which reducer saves an object."""

    references: References
    met: dict[int, FrameState | Unchanged]  # see ``Stacks``
    codes: dict[int, CodeInfo]  # the functions of the frames met, by id of their code
    tasks: dict[DurableTask, None]  # the tasks met
    driven: dict[int, bool]  # see ``is_driven_by_hand``

    def reducer_override(self, obj: Any) -> Any:
        references = self.references
        if references.lost:
            if id(obj) in references.lost:
                return lost, references.lost[id(obj)]
            if isinstance(obj, BOUND_METHODS) and id(obj.__self__) in references.lost:
                return lost_method, (obj.__self__, obj.__name__)
        met = self.met.get(id(obj))
        if met is not None:
            info = met.info
            self.codes[id(info.code)] = info
            if type(met) is Unchanged:
                return build_unchanged, (met.data,), met.awaited, None, None, fill_unchanged
            return self._reduce_in_stack(obj, met)
        reference = references.by_id.get(id(obj))
        if reference is not None:
            return resolve, reference
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
        return reduce_by_kind(obj)

    def _reduce_in_stack(self, frame: Any, state: Any) -> Any:
        """A frame that a task of the instance runs."""
        if state.info.module.is_library and self.references.waits_anew(frame):
            return reduce_wait(frame)
        return reduce_state(frame, state)

    def _reduce_frame(self, frame: Any, reducer: Any) -> Any:
        """A frame that no task runs, or which cannot be read."""
        info = info_of(parts_of(frame).code)
        if self._is_leaf(frame, info):
            return reduce_foreign_frame(frame, in_flight=True)
        if type(frame) is CoroutineType and self.references.waits_anew(frame):
            return reduce_wait(frame)
        if info is not None:
            self.codes[id(info.code)] = info
        if type(frame) is CoroutineType and is_driven_by_hand(frame, self.driven) and not self.references.is_in_stack(frame):
            return (*reducer(frame)[:5], fill_driven)
        return reducer(frame)

    def _is_leaf(self, frame: Any, info: CodeInfo | None) -> bool:
        """Whether a frame that has begun is begun again on resume: one of foreign code, or asyncio's own outside an instance."""
        if info is None:
            return id(frame) in self.references.in_flight
        return info.module.is_library and not self.references.has_loop and frame_of(frame) is not None


class SnapshotPickler(_Reducing, pickle.Pickler):
    """Pickles what programs hold."""

    def __init__(self, file: Any, references: References) -> None:
        super().__init__(file, PROTOCOL)
        self.references = references
        self.met = references.read.met
        self.codes = {}
        self.tasks = {}
        self.driven = {}


class _DeepPickler(_Reducing, PythonPickler):  # type: ignore[misc]
    """The same in Python, for graphs nested deeper than the C stack allows. Slow."""

    def __init__(self, file: Any, references: References) -> None:
        super().__init__(file, PROTOCOL)
        self.references = references
        self.met = references.read.met
        self.codes = {}
        self.tasks = {}
        self.driven = {}

        # Python 3.12 recurses in C when a bound method is called with *args, as pickle does; not so for a function.
        def save_reduce(
            func: Any, args: Any, state: Any = None, items: Any = None, pairs: Any = None, setter: Any = None,
            *, obj: Any = None,
        ) -> None:  # fmt: skip
            PythonPickler.save_reduce(self, func, args, state, items, pairs, setter, obj=obj)

        self.save_reduce = save_reduce


class _NanPickler(SnapshotPickler):
    """For graphs with nan, whose identity shows (``nan in [nan]``); it asks about every object, so is not the rule."""

    def persistent_id(self, obj: Any) -> Any:
        """Which nan it is, and its bits."""
        return (id(obj), struct.pack(">d", obj)) if type(obj) is float and obj != obj else None


class _Nans:
    """What the unpicklers share: nans, which are objects of their own."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)  # type: ignore[call-arg]
        self.nans: dict[tuple[int, bytes], float] = {}

    def persistent_load(self, pid: tuple[int, bytes]) -> float:
        """One object for each nan."""
        if pid not in self.nans:
            (self.nans[pid],) = struct.unpack(">d", pid[1])
        return self.nans[pid]

    def find_class(self, module: str, name: str) -> Any:
        """What a name leads to today."""
        if module == MODULE:
            return registered
        if is_internal(module):
            return find_former(module, name)
        loader: Any = super()
        try:
            return loader.find_class(*place_today(module, name))
        except (AttributeError, ModuleNotFoundError) as error:
            if not is_standard(module):
                raise
            raise missing(module, name) from error


class SnapshotUnpickler(_Nans, pickle.Unpickler):
    """Loads what any of the picklers made."""


class _EarlierUnpickler(_Nans, NativeFormsUnpickler):
    """The same for snapshots with forms that this Python has no more. Slow."""

    def find_class(self, module: str, name: str) -> Any:
        """What is called in another way then, or what a name leads to today."""
        return native_form(module, name) or super().find_class(module, name)


def unpickler_of(file: io.BytesIO) -> Any:
    """Loads one snapshot, or one segment."""
    return (_EarlierUnpickler if has_native_forms(file.getvalue()) else SnapshotUnpickler)(file)


class StandIn:
    """Loads as what a function gives for some arguments."""

    def __init__(self, find: Any, *place: Any) -> None:
        self.find = find
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return self.find, self.place


_REGISTERED = f"\x80\x02c{MODULE}\nregistered\nq\x000".encode("latin-1")  # the first object of the memo


def begin(pickler: Any, file: Any) -> None:
    """Begin a pickle that names what is of this package."""
    file.write(_REGISTERED)
    pickler.memo = {id(registered): (0, registered)}


class NamingPickler(pickle.Pickler):
    """Pickles functions and classes; those of this package by their names."""

    def reducer_override(self, obj: Any) -> Any:
        """How one is pickled."""
        return reference_to(obj) if isinstance(obj, (FunctionType, type)) and is_ours(obj) else NotImplemented


class Prelude:
    """Pickled stand-ins for containers: ``places`` say what each loads as (a function and its arguments); and ``others``."""

    def __init__(self, places: list[tuple[Any, ...]], others: tuple[Any, ...] = ()) -> None:
        stand_ins = [StandIn(*place) for place in places]
        file = io.BytesIO()
        pickler = NamingPickler(file, 2)  # which remembers no names of others: the memo stays small
        begin(pickler, file)
        pickler.dump([*stand_ins, *others])
        self._data = file.getvalue()
        self._memo: dict[int, tuple[int, Any]] = pickler.memo.copy()
        self._indices = [self._memo.pop(id(stand_in))[0] for stand_in in stand_ins]

    def begin(self, pickler: pickle.Pickler, file: Any, containers: list[Any]) -> None:
        """Begin a pickle in which each of the containers is what was said of its place."""
        file.write(self._data)
        places = zip(self._indices, containers, strict=True)
        pickler.memo = self._memo | {id(container): (index, container) for index, container in places}


def dumps(value: Any, references: References) -> bytes:
    """Pickle ``value``."""
    return b"".join(dump_chunks(value, references)[0])


Chunks = list[bytes]  # a pickle as it was written: large bytes objects as they are, the rest cut about every 64 KiB


def dump_chunks(value: Any, references: References) -> tuple[Chunks, dict[int, CodeInfo]]:
    """Pickle ``value``; gives also the functions of the coroutines and generators met, by id of their code."""
    try:
        chunks, codes = _dump(SnapshotPickler, value, references)
        if any(_find_nan(chunk) for chunk in chunks if chunk[:1] in _FRAME):
            chunks, codes = _dump(_NanPickler, value, references)
    except RecursionError:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(DEEP)
        try:
            chunks, codes = _dump(_DeepPickler, value, references)
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


def _dump(kind: Any, value: Any, references: References) -> tuple[Chunks, dict[int, CodeInfo]]:
    file = _Sink()
    pickler = kind(file, references)
    names, has_loop = references.names, references.has_loop
    if has_loop not in names.preludes:
        others = _BUILDERS if has_loop else ()  # they would be most of a record, such as a call
        names.preludes[has_loop] = Prelude([(resolve_or_none, *place) for place in names.container_places], others)
    names.preludes[has_loop].begin(pickler, file, references.containers)
    pickler.dump(value)
    done = 0
    while done < len(pickler.tasks):  # what they hold may lead to further ones
        for task in list(pickler.tasks)[done:]:
            done += 1
            pickler.dump((task.path, task_frames(task, references), task_record(task)))
    pickler.dump(None)
    return file.chunks, pickler.codes


def loads(data: bytes) -> Any:
    """Load what ``dumps`` made, and complete it."""
    return load_with_loop(data)[0]


def load_with_loop(data: bytes) -> tuple[Any, LoadContext]:
    """The same, with the context that has the loop which tasks and futures in it belong to."""

    def read(context: LoadContext) -> tuple[Any, LoadContext]:
        unpickler = unpickler_of(io.BytesIO(data))
        unpickler.load()
        value = unpickler.load()
        while (held := unpickler.load()) is not None:
            path, frames, record = held
            fill_task(new_task(path), frames, record)
        return value, context

    return load(read)
