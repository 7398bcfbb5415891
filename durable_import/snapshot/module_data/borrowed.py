"""Objects that the code of a script has by a name of its own, and shares with code that is not its functions.

*Borrowed* are those of modules that are not marked: ``from config import settings``. Those modules have them too, and make them
again when they are imported. *Handed* are those that the script's own code, outside of its functions, speaks of: what it gives
to the coroutine that it runs, and looks at behind that.

The name leads to the same object as before, and no copy takes its place. What has changed in it since the run began is put into
it again, if its contents are plain: the attributes of an instance of a class that is written in Python, or the items of a
container. Others stay as their module's own code makes them.
"""

from __future__ import annotations

import ast
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from .fingerprints import fingerprint
from .plain_classes import gives_state, is_filled_by_state

_CONTAINERS = (list, dict, set, bytearray, deque)
_KNOWN = (*_CONTAINERS, object)
_HEAP_TYPE = 1 << 9


class Borrowed:
    """Those of a script, by name. ``is_ours``: whether a module's data are kept in another way."""

    def __init__(self, source: bytes, package: str | None, is_ours: Callable[[str], bool]) -> None:
        self._origins: dict[str, tuple[str, str]] = {}  # by the name in the script: module, name there
        self._starred: list[str] = []
        handed: set[str] = set()
        for node in _outside_of_functions(source):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                handed.add(node.id)
            elif isinstance(node, ast.ImportFrom):
                for module, name, alias in _imported_names(node, package):
                    if is_ours(module):
                        continue
                    if name == "*":
                        self._starred.append(module)
                    else:
                        self._origins[alias] = module, name
        self.handed = frozenset(handed)
        self._first: dict[str, int] = {}
        self._changed: set[str] = set()

    def has(self, name: str, value: Any) -> bool:
        """Whether a name of the script is that of an object which another module has as well, or which is handed."""
        if name in self.handed:
            return True
        module, original = self._origins.get(name, ("", name))
        return any(_has(each, original, value) for each in ([module] if module else self._starred))

    def knows(self, module: str, name: str) -> bool:
        """Whether the script has what a module has under a name."""
        return (module, name) in self._origins.values() or module in self._starred

    def begin(self, namespace: dict[str, Any], names: frozenset[str]) -> None:
        """Note what they hold before the program runs."""
        for name in (names | self.handed) & namespace.keys():
            value = namespace[name]
            if is_fillable(value) and self.has(name, value):
                self._first[name] = _fingerprint(value)

    def content(self, name: str, value: Any) -> tuple[str, Any, Any] | None:
        """What to put into an object again; None if it holds what it held before the program ran."""
        if not is_fillable(value):
            return None
        if name not in self._changed and self._first.get(name) != _fingerprint(value):
            self._changed.add(name)
        return content_of_fillable(value) if name in self._changed else None


def is_fillable(value: Any) -> bool:
    """Whether its contents can be put into an object in place."""
    return _is_container(value) or (is_filled_by_state(type(value)) and gives_state(value))


def _is_container(value: Any) -> bool:
    """An instance of a class that derives from a container."""
    cls = type(value)
    return isinstance(value, _CONTAINERS) and all(base.__flags__ & _HEAP_TYPE or base in _KNOWN for base in cls.__mro__)


def content_of_fillable(value: Any) -> tuple[str, Any, Any]:
    """How an object is filled again, itself, and what it holds."""
    if _is_container(value):
        return "refill", value, list(value.items()) if isinstance(value, dict) else list(value)
    return "state" if hasattr(value, "__setstate__") else "attributes", value, value.__getstate__()


def _fingerprint(value: Any) -> int:
    return fingerprint(content_of_fillable(value)[2], _is_open)


def _is_open(_: Any) -> bool:
    return False  # what stands in its attributes counts by what it is


def _has(module: str, name: str, value: Any) -> bool:
    found = sys.modules.get(module)
    return found is not None and vars(found).get(name, found) is value


def _outside_of_functions(source: bytes) -> Iterator[ast.AST]:
    """The nodes of a module's own code; of functions their decorators and default values."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            waiting += [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        elif not isinstance(node, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _imported_names(node: ast.ImportFrom, package: str | None) -> Iterator[tuple[str, str, str]]:
    """What a statement imports by name: module, name there, name here."""
    base = (package or "").split(".")
    parts = base[: len(base) - node.level + 1] if node.level else []
    module = ".".join([*parts, *([node.module] if node.module else [])])
    yield from ((module, each.name, each.asname or each.name) for each in node.names)
