"""Attributes of modules that a program sets when it runs: ``settings.debug = True``, ``db.pool = await create_pool()``.

The module may be any: its own code makes it as it was when it is imported, so what the program has set is saved, and set again.
Known are the statements that set something behind the name of a module; of each, what was there at first.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, ModuleType
from typing import Any

from ...log import logger

Path = tuple[str, ...]  # the name of a module in the code, and the attributes that follow
_MISSING = object()
_LOADS = ("LOAD_ATTR", "LOAD_METHOD")


def assigned_paths(code: CodeType, instructions: Iterable[dis.Instruction]) -> Iterator[tuple[Path, str]]:
    """What a function sets behind global names, and at which ``file:line``."""
    path: list[str] = []
    for instruction in instructions:
        if instruction.opname == "LOAD_GLOBAL":
            path = [instruction.argval]
        elif path and instruction.opname in _LOADS:
            path.append(instruction.argval)
        else:
            if path and instruction.opname in ("STORE_ATTR", "DELETE_ATTR"):
                line = instruction.positions.lineno if instruction.positions is not None else code.co_firstlineno
                yield (*path, instruction.argval), f"{code.co_filename}:{line}"
            path = []


class Assigned:
    """What one module of the program sets of others, as it was at first."""

    def __init__(self, namespace: dict[str, Any], paths: dict[Path, str]) -> None:
        self._namespace = namespace
        self._paths = paths
        self.places: dict[str, str] = {}  # by the names of contents, where that is set
        self._first = {path: _value_at(namespace, path) for path in paths}

    def knows(self, module: str, name: str) -> bool:
        """Whether the program sets what a module has under a name, or something in it."""
        return any(name == path[1] and getattr(self._namespace.get(path[0]), "__name__", "") == module for path in self._paths)

    def contents(self) -> Iterator[tuple[str, tuple[str, Any, Any]]]:
        """What is different now, each to be saved under a name: how it is restored, where, and what is there."""
        for path, place in self._paths.items():
            value = _value_at(self._namespace, path)
            if value is not self._first[path]:
                where = self._namespace[path[0]].__name__, ".".join(path[1:])
                content = ("deleted", where, None) if value is _MISSING else ("set", where, value)
                key = f"set {'.'.join(where)}"
                self.places[key] = place
                yield key, content


def _value_at(namespace: dict[str, Any], path: Path) -> Any:
    root = namespace.get(path[0])
    holder = _holder(root, path[1:-1]) if type(root) is ModuleType else None
    return _MISSING if holder is None else _own(holder).get(path[-1], _MISSING)


def _holder(root: Any, path: Path) -> Any:
    """What has the last attribute; None if there is no such thing. No code of the program runs for it."""
    for name in path:
        root = _own(root).get(name)
    return root


def _own(holder: Any) -> Any:
    try:
        return object.__getattribute__(holder, "__dict__") if not isinstance(holder, type) else vars(holder)
    except AttributeError:
        return {}


def set_again(how: str, where: tuple[str, str], value: Any) -> None:
    """Set, or delete, what the program had."""
    module, path = where
    *holders, name = path.split(".")
    holder = _holder(sys.modules.get(module), tuple(holders))
    if holder is None:
        logger.warning("%s of module %s, which the program has set, is not set again: it has no %r now", path, module, holders)
    elif how == "set":
        setattr(holder, name, value)
    elif name in _own(holder):
        delattr(holder, name)
