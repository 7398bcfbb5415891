"""A snapshot with other values in some of its variables, made without running anything: what is put there is plain data.

What the program had read of a variable and had not used yet at the checkpoint (the ``total`` in ``total += await price()``) is
changed with it: who changes a variable means that the program goes on with it.
"""

from __future__ import annotations

import ast
import datetime
import decimal
import uuid
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from ..rewrite.analysis.relative_paths import absolute
from ..snapshot.payload import COMPLETE, IN_PIECES, IN_SEGMENTS, payload_of
from .frames import SavedFrame
from .graph import Made, items_of
from .lines import FunctionText, nodes_of
from .places import Held, Places, pickled
from .state import joined, read_state
from .values import Describer, Limits
from .variables import Found, NamedFrame, chain, find, held_by, held_by_frame, named_frames, own_variables, steps_of

_ATOMS = (
    bool, int, float, complex, str, bytes, type(None), datetime.date, datetime.datetime, datetime.time, datetime.timedelta,
    decimal.Decimal, uuid.UUID,
)  # fmt: skip
_CONTAINERS = (list, tuple, set, frozenset)
_DEEPEST = 50  # containers inside of containers
_INCARNATION = 6  # of the parts of a loop
_LIMITS = Limits(depth=3, breadth=10, length=80, most=50)


class Changed(NamedTuple):
    """A variable, by its path in full, as text what it held, and what it holds now."""

    path: str
    before: str
    after: Any


class StateEditor:
    """Changes a snapshot: an authenticated payload, with its segments or pieces. Raises SnapshotFormatError for what is none."""

    def __init__(self, payload: bytes, segments: Mapping[str, bytes]) -> None:
        self._payload = payload
        self._segments = dict(segments)
        self._ids = {id(data) for data in self._segments.values()}
        self._places = Places()
        self._kernel = payload[3:]
        if payload[2:3] == IN_PIECES:
            self._kernel = joined(self._kernel, self._segments)
        self._kind = IN_SEGMENTS if payload[2:3] == IN_SEGMENTS else COMPLETE
        whole = payload_of(self._kind, self._kernel)
        self.state = read_state(payload[:2] + whole[2:], self._segments, self._read)
        self._inner: dict[int, tuple[list[Any], bytes]] = {}  # of frames that were pickled by themselves

    def _read(self, data: bytes) -> Any:
        reader = self._places.reader(data)
        if id(data) not in self._ids:
            self._kernel = data  # the same bytes, under the id by which they are known
        return reader

    @cached_property
    def frames(self) -> list[NamedFrame]:
        """Those whose variables can be changed, the outermost first."""
        root = self.state.root
        tasks = sorted(self.state.tasks.values(), key=lambda task: (task is not root, task.path))
        return [frame for task in tasks if task.outcome == "pending" for frame in named_frames(task)]

    # --- variables

    def change(self, path: str, value: Any, texts: Mapping[str, FunctionText]) -> Changed:
        """Let a variable, or a part of one, hold a value. ``texts``: those of functions, by digest.

        Raises ValueError for a path that leads nowhere, or to more than one place, and TypeError for what is no plain data.
        """
        check_plain(path, value)
        found = find(path, self.frames)
        held = self._held(found, path)
        data = pickled(value)
        describer = Describer(self.state.resolve, _LIMITS)
        before = str(describer.describe(held.value))
        operands = list(self._operands(held, texts))
        for place in (held, *operands):
            self._put(place, data, found.path)
        return Changed(found.path, before, value)

    def _held(self, found: Found, path: str) -> Held:
        held = self._held_by(found.frame.frame, found.variable)
        way = f"{found.frame.name}.{found.variable}"
        for step in steps_of(path, found.rest):
            inner = held_by(held.value, step, self.state.resolve) if held is not None else None
            if inner is None and held is not None:
                what = Describer(self.state.resolve, _LIMITS).describe(held.value)
                raise ValueError(f"{path!r} leads nowhere: {way} is {what}, and has no {_shown(step)} that can be changed")
            held, way = inner, way + _shown(step)
        if held is None:
            raise ValueError(f"{path!r} cannot be changed: the snapshot only says where {way} is found")
        return held

    def _held_by(self, frame: SavedFrame, name: str) -> Held | None:
        return held_by_frame(frame, self._variables(frame), name, self.state.resolve)

    def _variables(self, frame: SavedFrame) -> list[Any]:
        if frame.node.ours != "unchanged":
            return own_variables(frame, self.state.resolve)
        known = self._inner.get(id(frame.node))
        if known is None:
            data = frame.node.arguments[0]
            parts = items_of(self._places.reader(data).load(), "tuple") or []
            known = self._inner[id(frame.node)] = items_of(parts[-1], "dict") or [], data
        return known[0]

    def _operands(self, held: Held, texts: Mapping[str, FunctionText]) -> Iterator[Held]:
        """What was read there, and waits to be used."""
        for _, frame in self.frames:
            for name, role, path in frame.kept:
                if role != "operand":
                    continue
                node = nodes_of(frame.digest, texts).get(absolute(path, frame.path))
                place = self._place_of(frame, node) if isinstance(node, ast.expr) else None
                copied = self._held_by(frame, name) if place is not None and place.is_same(held) else None
                if copied is not None:
                    yield copied

    def _place_of(self, frame: SavedFrame, node: ast.expr) -> Held | None:
        """Where an expression of names, attributes and items has read."""
        try:
            name, steps = chain(node, lambda index: self._index(frame, index))
        except (ValueError, TypeError):
            return None
        held = self._held_by(frame, name)
        for step in steps:
            held = held_by(held.value, step, self.state.resolve) if held is not None else None
        return held

    def _index(self, frame: SavedFrame, node: ast.expr) -> Any:
        if isinstance(node, ast.Name) and type(frame.variables.get(node.id)) in (bool, int, str):
            return frame.variables[node.id]
        return ast.literal_eval(node)

    # --- whose it is

    def rename(self, old: str, new: str) -> None:
        """Let the handles that the instance has of itself be those of its new id, and its task be called after that."""
        for node in self.state.nodes():
            for state in node.states if type(node) is Made and _is_handle(node) else ():
                pairs = items_of(self.state.resolve(state.value), "dict") or []
                for index, (key, value) in enumerate(pairs):
                    if key == "id" and value == old:
                        self._put(Held(pairs, index), pickled(new), "id")
        for task in self.state.tasks.values():
            if task.name == f"instance {old}":
                self._put(Held(task.record, 0), pickled(f"instance {new}"), "name")

    def bind(self, facts: Mapping[str, Any], incarnation: str) -> None:
        """Let some of its facts be others; ``incarnation``: what its keys begin with, behind its id."""
        for index, (key, _) in enumerate(self.state.facts_kept):
            if key in facts:
                self._put(Held(self.state.facts_kept, index), pickled(facts[key]), key)
        if self.state.loop is not None:
            self._put(Held(self.state.loop, _INCARNATION), pickled(incarnation), "incarnation")

    def _put(self, held: Held, data: bytes, path: str) -> None:
        if not self._places.put(held, data):
            raise ValueError(f"{path!r} cannot be changed: the snapshot only says where it is found")

    def result(self) -> tuple[bytes, dict[str, bytes]]:
        """The payload as it is now, and its segments."""
        for frame in (each.frame for each in self.frames):
            known = self._inner.get(id(frame.node))
            if known is not None and (edited := self._places.edited(known[1])) is not known[1]:
                self._put(Held(frame.node.arguments, 0), pickled(edited), frame.qualname)
        if self._kind == IN_SEGMENTS:
            segments = {key: self._places.edited(data) for key, data in self._segments.items()}
            return payload_of(IN_SEGMENTS, self._places.edited(self._kernel)), segments
        return payload_of(COMPLETE, self._places.edited(self._kernel)), {}


def _is_handle(node: Made) -> bool:
    return "InstanceHandle" in str(node.arguments[:1]) or "InstanceHandle" in str(node.function)


def _shown(step: tuple[str, Any]) -> str:
    return f".{step[1]}" if step[0] == "." else f"[{step[1]!r}]"


def check_plain(path: str, value: Any, depth: int = 0) -> None:
    """Raise TypeError for what is no plain data: the classes of others would have to be imported to be saved."""
    kind = type(value)
    if kind in _ATOMS:
        return
    if depth < _DEEPEST and kind is dict:
        for pair in value.items():
            for part in pair:
                check_plain(path, part, depth + 1)
        return
    if depth < _DEEPEST and kind in _CONTAINERS:
        for part in value:
            check_plain(path, part, depth + 1)
        return
    raise TypeError(
        f"{path} cannot become {value!r:.80} ({kind.__qualname__}): it may be None, a number, text, bytes, a date, a Decimal, a "
        f"UUID, or a list, tuple, set or dict of these, not nested deeper than {_DEEPEST}. Change the parts of an object one by "
        "one, by their paths"
    )
