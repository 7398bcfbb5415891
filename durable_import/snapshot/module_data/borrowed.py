"""Objects that a script has from modules that are not marked, by a name of its own: ``from config import settings``.

Those modules have them too, and make them again when they are imported: so the script's name leads to the same object as before,
and no copy takes its place. What has changed in it since the run began is put into it again, if its contents are plain: the
attributes of an instance of a class that is written in Python, or the items of a container. Others stay as their module's own
code makes them.
"""

from __future__ import annotations

import ast
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from .fingerprints import fingerprint
from .plain_classes import is_filled_by_state

_CONTAINERS = (list, dict, set, bytearray, deque)
_KNOWN = (*_CONTAINERS, object)
_HEAP_TYPE = 1 << 9


class Borrowed:
    """What a script has from other modules by name. ``is_ours``: whether a module's data are kept in another way."""

    def __init__(self, source: bytes, package: str | None, is_ours: Callable[[str], bool]) -> None:
        self._origins: dict[str, tuple[str, str]] = {}  # by the name in the script: module, name there
        self._starred: list[str] = []
        for module, name, alias in _imported_names(source, package):
            if is_ours(module):
                continue
            if name == "*":
                self._starred.append(module)
            else:
                self._origins[alias] = module, name
        self._first: dict[str, int] = {}
        self._changed: set[str] = set()

    def has(self, name: str, value: Any) -> bool:
        """Whether a name of the script is that of an object which another module has as well."""
        module, original = self._origins.get(name, ("", name))
        return any(_has(each, original, value) for each in ([module] if module else self._starred))

    def begin(self, namespace: dict[str, Any], names: frozenset[str]) -> None:
        """Note what they hold before the program runs."""
        for name in names & namespace.keys():
            value = namespace[name]
            if is_fillable(value) and self.has(name, value):
                self._first[name] = _fingerprint(value)

    def content(self, name: str, value: Any) -> tuple[str, Any, Any] | None:
        """What to put into an object again; None if it holds what it held before the program ran."""
        if not is_fillable(value):
            return None
        if name not in self._changed and self._first.get(name) != _fingerprint(value):
            self._changed.add(name)
        return _content(value) if name in self._changed else None


def is_fillable(value: Any) -> bool:
    """Whether its contents can be put into an object in place."""
    return _is_container(value) or is_filled_by_state(type(value))


def _is_container(value: Any) -> bool:
    """An instance of a class that derives from a container."""
    cls = type(value)
    return isinstance(value, _CONTAINERS) and all(base.__flags__ & _HEAP_TYPE or base in _KNOWN for base in cls.__mro__)


def _content(value: Any) -> tuple[str, Any, Any]:
    if _is_container(value):
        return "refill", value, list(value.items()) if isinstance(value, dict) else list(value)
    return "state" if hasattr(value, "__setstate__") else "attributes", value, value.__getstate__()


def _fingerprint(value: Any) -> int:
    return fingerprint(_content(value)[2], _is_open)


def _is_open(_: Any) -> bool:
    return False  # what stands in its attributes counts by what it is


def _has(module: str, name: str, value: Any) -> bool:
    found = sys.modules.get(module)
    return found is not None and vars(found).get(name, found) is value


def _imported_names(source: bytes, package: str | None) -> Iterator[tuple[str, str, str]]:
    """What a module's own code, outside of its functions, imports by name: module, name there, name here."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            continue
        if isinstance(node, ast.ImportFrom):
            base = (package or "").split(".")
            parts = base[: len(base) - node.level + 1] if node.level else []
            module = ".".join([*parts, *([node.module] if node.module else [])])
            yield from ((module, each.name, each.asname or each.name) for each in node.names)
        elif isinstance(node, (ast.stmt, ast.Module, ast.ExceptHandler)):
            waiting.extend(ast.iter_child_nodes(node))
