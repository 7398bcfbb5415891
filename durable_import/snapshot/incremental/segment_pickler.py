"""Pickles one segment, and finds what went into its pickle although it belongs elsewhere. See ``segments``."""

from __future__ import annotations

import gc
import io
from contextvars import ContextVar
from enum import Enum
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from ...aio.loop import InstanceLoop
from ...aio.task import _NO_CONTEXT, DurableTask
from ..module_data.by_name import resolve, resolve_or_none
from ..names import CONSTANTS
from ..pickler import SnapshotPickler
from ..prelude import Prelude, StandIn
from ..references import References
from ..reopened import Entries, Order, reopened, reopened_by_function, reopened_part
from ..with_blocks.lost import lost
from .ownership import Ownership, Segment
from .segments import KERNEL, shared

_NO_IDENTITY: frozenset[type] = frozenset(
    {
        str, bytes, int, float, complex, bool, type(None), type(Ellipsis), type(NotImplemented), range, slice,
        BuiltinFunctionType, MethodType, ModuleType, CodeType, ContextVar, DurableTask, InstanceLoop, StandIn,
    }
)  # fmt: skip
EXACT = (list, dict, set, frozenset, tuple, bytearray)  # never shown to ``reducer_override``
_BY_REFERENCE = (resolve, lost)
_REOPENED = (reopened, reopened_by_function, reopened_part)


class SegmentPickler(SnapshotPickler):
    """Pickles one segment; what belongs to islands is referred to. ``module_level``: names of containers by id."""

    def __init__(self, references: References, owned: Ownership, key: str, module_level: dict[int, tuple[str, str]]) -> None:
        self.file = io.BytesIO()
        super().__init__(self.file, references, Entries(references.notes) if references.notes is not None else None)
        self.owned = owned
        self.key = key
        self.module_level = module_level
        self.referred: set[int] = set()  # what is elsewhere, and names of that
        self.refs: set[str] = set()

    def reducer_override(self, obj: Any) -> Any:
        number = id(obj)
        entry = self.owned.exported.get(number)
        if entry is not None and entry[0] != self.key:
            self.referred |= {number, id(entry)}
            self.refs.add(entry[0])
            return shared, entry
        reduced = super().reducer_override(obj)
        if type(reduced) is tuple and reduced[0] in _BY_REFERENCE:
            self.referred.add(id(reduced[1]))
        elif type(reduced) is tuple and reduced[0] in _REOPENED:
            self.referred |= {number, id(reduced[1])}
        return reduced

    def pickle(self, parts: list[Any], containers: list[Any], order: Order | None = None) -> Segment:
        """Pickle the parts; the program's code can reach the first one. Containers that are not elsewhere are taken out.

        ``order``: the calls that open reopenable objects, which come first.
        """
        places: list[tuple[Any, ...]] = []
        containers[:] = [c for c in containers if id(c) in self.module_level or self._is_elsewhere(id(c))]
        for container in containers:
            if id(container) in self.module_level:
                places.append((resolve_or_none, *self.module_level[id(container)]))
            else:
                entry = self.owned.exported[id(container)]
                self.refs.add(entry[0])
                places.append((shared, *entry))
        first = self.references.first if self.key == KERNEL else None
        Prelude(places, first=first).begin(self, self.file, containers)
        segment = Segment(containers=containers)
        if order is not None and self.entries is not None:
            for call in self.entries.calls(order):
                self.dump(call)
                for key in self.owned.closure(self.refs):
                    self.entries.needs(self.owned.segments[key].staged)
        for number, part in enumerate(parts):
            self.dump(part)
            if number == 0:
                segment.reach = set(self.refs)
        if self.entries is not None:
            segment.entries, segment.staged = self.entries.met, self.entries.staged
        segment.refs = self.refs
        segment.data = self.file.getvalue()
        return segment

    def _is_elsewhere(self, number: int) -> bool:
        entry = self.owned.exported.get(number)
        return entry is not None and entry[0] != self.key

    def used(self, containers: list[Any]) -> list[Any]:
        """Those of the containers that are elsewhere which something in the pickle refers to."""
        if not containers:
            return []
        referents = set(map(id, gc.get_referents(*(value for _, value in self.memo.copy().values()))))
        return [container for container in containers if id(container) in referents]

    def misplaced(self, containers: list[Any], segment: Segment) -> tuple[list[Any], list[tuple[str, Any]]]:
        """What went into the pickle although it is kept elsewhere; and what belongs to other segments, with these."""
        elsewhere: list[Any] = []
        stolen: list[tuple[str, Any]] = []
        references, exported, owners = self.references, self.owned.exported, self.owned.owners
        met = [(n, v) for n, (_, v) in self.memo.copy().items() if type(v) not in _NO_IDENTITY and n not in CONSTANTS]
        known = {id(_attributes(value)) for _, value in met if type(value).__dictoffset__}
        known |= self.referred
        known.update(map(id, containers))
        for number, value in met:
            if number in known or number in references.by_id or number in references.lost or _is_found_by_name(value):
                continue
            if number in references.container_ids:
                elsewhere.append(value)
            elif (entry := exported.get(number)) is not None:
                if entry[0] != self.key:
                    elsewhere.append(value)
            elif (owner := owners.get(number)) is not None and owner != self.key:
                stolen.append((owner, value))
            else:
                segment.ids.append(number)
                segment.kept.append(value)
        return elsewhere, stolen


def outermost(stolen: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
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
