"""Values as JSON has them, of what a snapshot says: nothing is made of it, so no code of a program is needed or run."""

from __future__ import annotations

import math
from typing import Any

from .frames import Resolve
from .graph import Items, is_made
from .values import Describer, Limits

_DEEPEST = 100  # containers inside of containers
_MOST = 100_000  # values in all
_LONGEST_INT = 4096  # bits: more digits than Python writes

_CONSTANTS = {"True": True, "False": False, "None": None}  # which have names in snapshots of deep states


class _Plain:
    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._describer = Describer(resolve, Limits(depth=6, breadth=100, length=1000))
        self._left = _MOST
        self._around = set[int]()

    def value(self, node: Any) -> Any:
        self._left -= 1
        node = self._resolve(node)
        if node is None or type(node) in (bool, str):
            return node
        if type(node) is int and node.bit_length() <= _LONGEST_INT:
            return node
        if type(node) is float and math.isfinite(node):
            return node
        if is_made(node, "named_variable") and str(node.arguments[-1]) in _CONSTANTS:
            return _CONSTANTS[str(node.arguments[-1])]
        if type(node) is not Items or node.kind == "bytearray" or not self._has_room(node):
            return str(self._describer.describe(node))
        self._around.add(id(node))
        try:
            if node.kind == "dict":
                return {self._key(key): self.value(value) for key, value in node.items}
            return [self.value(each) for each in node.items]
        finally:
            self._around.remove(id(node))

    def _has_room(self, node: Items) -> bool:
        return id(node) not in self._around and len(self._around) < _DEEPEST and len(node.items) <= self._left

    def _key(self, node: Any) -> str:
        key = self._resolve(node)
        return key if type(key) is str else str(self._describer.describe(key))


def plain_of(node: Any, resolve: Resolve) -> Any:
    """A value of null, true, false, numbers, texts, arrays and objects; what is none of these, or too deep, is in it as
    ``Describer`` tells it. Raises SnapshotFormatError for a damaged one."""
    return _Plain(resolve).value(node)
