"""Values of variables as people see them: bounded in depth, breadth and length, whatever the object is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .frames import UNBOUND, Resolve
from .masks import HIDDEN, Mask
from .shapes import MAPPING, PLAIN, TEXT, Shape, shape_of

_VALUES = (bool, int, float, str, bytes, type(None))
_DEEPEST = 100  # whatever the limits say: each level takes a part of Python's stack
_MOST_BITS = 4096  # of an int that is written in digits
_PAIR = 2
_AROUND = {"list": "[]", "tuple": "()", "set": "{}", "dict": "{}"}


@dataclass(frozen=True)
class Limits:
    """``depth``: containers inside of containers. ``breadth``: parts of one. ``length``: characters of one text. ``most``: parts
    of a description in all. ``mask``: what hides secrets in all that is described with these limits."""

    depth: int = 4
    breadth: int = 20
    length: int = 200
    most: int = 500
    mask: Mask | None = None


USUAL = Limits()


@dataclass(frozen=True)
class Description:
    """A value, and as much of what is in it as the limits allow.

    ``type``: the name of its class, ``module`` that of its module, empty for what is built in. ``parts``: by steps from here, as
    in ``.total``, ``[3]``, ``['key']``. ``size``: how many there are. ``number``: of an object; what has the same number is the
    same object. ``str`` of it is one line, as in ``Order(id=7, lines=[...])``.
    """

    type: str
    text: str
    module: str = ""
    parts: tuple[tuple[str, Description], ...] = ()
    size: int = 0
    number: int | None = None

    def __str__(self) -> str:
        return self.text


MASKED = Description("hidden", HIDDEN)


@dataclass
class Describer:
    """Describes values of one snapshot: equal numbers mean equal objects in all that it describes."""

    resolve: Resolve
    limits: Limits = field(default_factory=Limits)
    _numbers: dict[int, tuple[int, Any]] = field(default_factory=dict)  # by id; the objects stay, so that the ids are theirs
    _left: int = 0
    _around: set[int] = field(default_factory=set)

    def describe(self, node: Any) -> Description:
        """A value. Raises SnapshotFormatError for a damaged one."""
        self._left, self._around = self.limits.most, set()
        return self._describe(node, 0)

    def describe_all(self, named: Mapping[str, Any]) -> dict[str, Description]:
        """Values by their names. Raises likewise."""
        return {name: self.describe(node) if not self._hides(name, node) else MASKED for name, node in named.items()}

    def _hides(self, name: str, node: Any) -> bool:
        mask = self.limits.mask
        return mask is not None and mask.hides(name, self.resolve(node))

    def _describe(self, node: Any, depth: int) -> Description:
        self._left -= 1
        node = self.resolve(node)
        if self.limits.mask is not None and self.limits.mask.is_known(node):
            return MASKED
        if node is UNBOUND:
            return Description("unbound", "<unbound>")
        if type(node) in _VALUES:
            return Description(type(node).__name__, self._value(node))
        number, _ = self._numbers.setdefault(id(node), (len(self._numbers), node))
        shape = shape_of(node, self.resolve)
        if id(node) in self._around:
            return Description(shape.type, _written(shape, ["..."]), shape.module, (), len(shape.parts), number)
        self._around.add(id(node))
        try:
            parts = tuple(self._parts(shape, depth))
        finally:
            self._around.remove(id(node))
        words = [self._written_part(shape, step, part) for step, part in parts]
        if len(parts) < len(shape.parts):
            words.append("...")
        return Description(shape.type, self._cut(_written(shape, words)), shape.module, parts, len(shape.parts), number)

    def _parts(self, shape: Shape, depth: int) -> Iterator[tuple[str, Description]]:
        pair = ""
        if depth >= min(self.limits.depth, _DEEPEST):
            return
        for step, node in shape.parts[: self.limits.breadth]:
            if self._left <= 0:
                return
            name = step if type(step) is str else f"[{self._describe(step, depth + 1)}]"
            yield name, MASKED if self._hides(pair or name, node) else self._describe(node, depth + 1)
            if len(shape.parts) == _PAIR and shape.style == "tuple" and not pair:  # of a name and a value, as headers are
                pair = str(self.resolve(node))

    def _written_part(self, shape: Shape, step: str, part: Description) -> str:
        if step[:1] == ".":
            return f"{step[1:]}={part}"
        if step[:1] == "[" and shape.style in ("dict", MAPPING):
            return f"{step[1:-1]}: {part}"
        return str(part)

    def _value(self, value: Any) -> str:
        if type(value) in (str, bytes):
            most = self.limits.length
            return repr(value) if len(value) <= most else f"{value[:most]!r}... ({len(value):,} in all)"
        if type(value) is int and value.bit_length() > _MOST_BITS:
            return f"<int of {value.bit_length():,} bits>"
        return repr(value)

    def _cut(self, text: str) -> str:
        most = 5 * self.limits.length
        return text if len(text) <= most else f"{text[:most]}..."


def _written(shape: Shape, words: list[str]) -> str:
    if shape.style == PLAIN:
        return shape.text
    inside = ", ".join(words)
    if shape.style == TEXT:
        return f"<{shape.text}>"
    around = _AROUND.get(shape.style)
    if shape.style == "frozenset":
        return f"frozenset({{{inside}}})" if words else "frozenset()"
    if around is None or (shape.style == "set" and not words):
        return f"{shape.type}({inside})"
    if shape.style == "tuple" and len(words) == 1 and words != ["..."]:
        inside += ","
    return f"{around[0]}{inside}{around[1]}"
