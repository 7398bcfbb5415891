"""The data of the program's own modules that are not marked.

Saved are objects of their own classes at module level that the state refers to, or that the program's functions speak of and may
change (``models.catalogue.add(...)``): they stay the objects of their modules, and hold what they held. What else has changed, by
the code of these modules, is not saved, and told: it is looked at the 1st, 2nd, 4th, 8th ... checkpoint, so that it costs nothing
in the long run.
"""

from __future__ import annotations

import linecache
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sized
from types import ModuleType
from typing import Any

from ...holds.kinds import is_of_library
from ...hook.code_table import MODULES
from ...log import logger
from ...ours import NAME
from .borrowed import content_of_fillable
from .fingerprints import fingerprint, parts_in
from .modules import ATOMS, REFILLED
from .plain_classes import is_filled_by_state

_LARGE = 10_000  # parts, or so many thousand characters: a table
_NONE = fingerprint(None, lambda _: False)


class Unmarked:
    """The data of such modules as they were at first."""

    def __init__(self) -> None:
        self._first: dict[str, dict[str, int]] = {}
        self._looks = 0
        self._next = 1
        self._imported = 0
        self.instances: dict[int, tuple[str, str, Any]] = {}  # by id, the objects of their own classes: module, name, object
        self._suspected: set[tuple[str, str]] = set()
        self.met: set[int] = set()  # ids of those that the state refers to, or the program changes: they are saved

    def begin(self) -> list[ModuleType]:
        """Note what the modules hold that are imported by now; gives those of the program's own that are new."""
        if self._imported == len(sys.modules):
            return []
        self._imported = len(sys.modules)
        new = [(name, module) for name, module in list(sys.modules.items()) if name not in self._first]
        own = {name: module for name, module in new if _is_looked_at(name, module)}
        self._first.update((name, _data_of(own[name]) if name in own else {}) for name, _ in new)
        for name, module in own.items():
            for key, value in vars(module).items():
                if not key.startswith("__") and _is_open(value) and is_filled_by_state(type(value)):
                    self.instances.setdefault(id(value), (name, key, value))
        return list(own.values())

    def meets(self, module: str, name: str) -> None:
        """The program's functions may change what a module has under a name."""
        value = vars(sys.modules[module]).get(name) if module in sys.modules else None
        if id(value) in self.instances:
            self.met.add(id(value))

    def contents(self) -> Iterator[tuple[str, tuple[str, Any, Any]]]:
        """What to save of the objects that belong to the state, by names."""
        for number in self.met:
            module, name, value = self.instances[number]
            how, _, held = content_of_fillable(value)
            yield f"changed {module}.{name}", ("state" if how == "state" else "changed", value, held)

    def is_met(self, module: str, name: str) -> bool:
        """Whether what a module has under a name is one of those."""
        return id(vars(sys.modules[module]).get(name)) in self.met

    def is_due(self) -> bool:
        """Whether this time it is looked at."""
        self._looks += 1
        if self._looks < self._next:
            return False
        self._next *= 2
        return True

    def look(self, is_saved: Callable[[str, str], bool]) -> None:
        """Tell what has changed. ``is_saved``: whether what a module has under a name belongs to the state all the same."""
        for name, first in self._first.items():
            module = sys.modules.get(name)
            if module is None or not first or name in MODULES:
                continue
            now = _data_of(module, first)
            for key in [key for key, known in first.items() if now.get(key) != known]:
                if id(vars(module).get(key)) in self.instances and (name, key) not in self._suspected:
                    self._suspected.add((name, key))  # it is not known yet whether the state refers to it
                    continue
                is_made_when_used = first.pop(key) == _NONE and _is_asked_for(module, key)
                if not is_made_when_used and not is_saved(name, key):
                    _tell(module, key)


def _is_looked_at(name: str, module: object) -> bool:
    is_file = type(module) is ModuleType and isinstance(getattr(module, "__file__", None), str)
    return is_file and name not in MODULES and name.partition(".")[0] != NAME and not is_of_library(name)


def _data_of(module: ModuleType, names: Collection[str] = ()) -> dict[str, int]:
    namespace = vars(module)
    return {
        name: fingerprint(namespace[name], _is_open)
        for name in names or list(namespace)
        if name in namespace and not name.startswith("__") and _is_data(namespace[name])
    }


def _is_data(value: Any) -> bool:
    """Whether it is looked at."""
    return (type(value) in REFILLED or type(value) in ATOMS or _is_open(value)) and not _is_large(value)


def _is_large(value: Any) -> bool:
    """Whether it would take long to look at it, with all that is in it."""
    left, waiting = _LARGE, [value]
    while waiting and left > 0:
        each = waiting.pop()
        if isinstance(each, (str, bytes, bytearray)):
            left -= len(each) // 1000
        elif isinstance(each, Sized) and type(each) in REFILLED and len(each) > left:
            return True
        inner = parts_in(each, _is_open) or ()
        left -= 1 + len(inner)
        waiting += inner if left > 0 else ()
    return left <= 0


def _is_open(value: Any) -> bool:
    """Whether it is an object of a class of the program's own with nothing but attributes."""
    kind = type(value)
    return (
        isinstance(getattr(value, "__dict__", None), dict)
        and "__getstate__" not in {name for base in kind.__mro__[:-1] for name in vars(base)}
        and not isinstance(value, (type, ModuleType))
        and isinstance(kind.__module__, str)
        and not is_of_library(kind.__module__)
    )


def _is_asked_for(module: ModuleType, name: str) -> bool:
    """Whether the code of a module asks if it has something yet, and so makes it again."""
    asks = re.compile(rf"\b(if|or|while|not)\s+(not\s+)?{re.escape(name)}\b|\b{re.escape(name)} is (not )?None")
    return any(map(asks.search, linecache.getlines(module.__file__ or "")))


def _tell(module: ModuleType, name: str) -> None:
    path = module.__file__ or ""
    pattern = re.compile(rf"(?:\S.*[;,=]\s*)?{re.escape(name)}\s*[:,=]")
    line = next((number for number, text in enumerate(linecache.getlines(path), 1) if pattern.match(text)), 1)
    logger.warning(
        "%s:%s: `%s` of the module %s, which is not marked, is not what it was when the program began: that is not saved, and "
        "after a restart it is as the module itself makes it. If the program needs it, begin the module with `# durable: on`",
        path,
        line,
        name,
        module.__name__,
    )
