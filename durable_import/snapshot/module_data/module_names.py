"""What marked modules hold at module level, which is saved by name.

It looks through a module again only when its namespace holds something else than before. It has the ids of objects, and where
they are, and keeps none alive that the module has let go of when it looks again.
"""

from __future__ import annotations

import asyncio
import builtins
import sys
import weakref
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from ...holds.in_use import can_be_in_use, in_use, may_be_true, questions_of
from ...holds.kinds import is_of_library
from ...hook.code_table import PROGRAM
from ...pythons.modules import LAZY
from ...pythons.tasks import LoopBound
from ..names import module_name
from . import process_state
from .code_parts import parts_of_code
from .decorated import wrapped_functions
from .modules import ATOMS, CONTAINERS, ScriptData, data_of, is_saved_by_value
from .process_state import STREAMS
from .shared_locks import LOCKS, Step, find_steps, is_holder

Place = tuple[str, str]  # module, name in it
Questions = tuple[str, ...] | None  # see ``questions_of``
Way = tuple[str, str] | tuple[str, str, tuple[Step, ...]]  # the same, and how it goes on to a lock: see ``shared_locks``
_RUNNING_TEXT = (b"exec", b"eval", b"__builtins__")
_WEAK = (WeakKeyDictionary, WeakValueDictionary, WeakSet)


class ModuleNames:
    """What a module holds, as its namespace is.

    ``runs_text``: whether its source may use ``exec`` or ``eval``, which put the namespace of builtins into that which they get.
    ``containers`` and ``notes`` (weak dictionaries and sets) by name, with the dict that holds them. ``asked``: names of what
    may be in use, see ``holds.in_use``.
    """

    def __init__(self, name: str, namespace: dict[str, Any], data: ScriptData | None, before: ModuleNames | None = None) -> None:
        self.by_id: dict[int, Place] = {}
        self.containers: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self.holders: list[tuple[str, str, Any]] = []  # of what may have shared locks in it: module, name, object
        self.runs_text = any(word in PROGRAM[name].source for word in _RUNNING_TEXT)
        self._locks: dict[int, tuple[Any, list[tuple[str, Any]]]] = {}  # see ``_find_locks``
        self._version = _version_of(namespace, data)
        parts = parts_of_code(name, namespace)
        for path, value in parts.items():
            if type(value) in CONTAINERS:
                self.containers[path] = parts
            else:
                self.by_id.setdefault(id(value), (name, path))
        if data is not None:
            for path, cell, _ in data.captured_cells():
                self.by_id.setdefault(id(cell), (name, path))
            for path, function in wrapped_functions(name, data.captured_cells()):
                self.by_id.setdefault(id(function), (name, path))
        for key, value in list(namespace.items()):
            kind = type(value)
            if kind in _WEAK:
                self.notes[key] = namespace
            if kind is ModuleType and not is_of_library(value.__name__) and value.__name__ not in PROGRAM:
                self.asked.append(key)
                if data is None:
                    self._find_locks_of(value, before._locks if before is not None else {})
            if data is None and not key.startswith("__") and is_holder(value):
                self.holders.append((name, key, value))
            if data is None and isinstance(value, type) and value.__module__ == name:
                self._find_locks(name, key, value, before._locks if before is not None else {})
            if kind in ATOMS or kind is ModuleType or kind is LAZY or key.startswith("__") or isinstance(value, type):
                continue
            if can_be_in_use(kind) or _has_attributes(value):
                self.asked.append(key)
            if data is not None and is_saved_by_value(data, key, value):
                continue
            if data is None and (_has_attributes(value) or isinstance(value, asyncio.Condition)):
                self._find_locks(name, key, value, before._locks if before is not None else {})
            if kind in CONTAINERS:
                self.containers[key] = namespace
            elif kind not in (tuple, frozenset):
                self.by_id.setdefault(id(value), (name, key))

    def _find_locks(self, name: str, key: str, value: Any, before: dict[int, tuple[Any, list[tuple[str, Any]]]]) -> None:
        """Name the locks, queues and the like that a module-level object has from its beginning: each process makes them again
        with it. They are kept: one that is replaced later stays the only one of its id."""
        found = before.get(id(value))
        if found is None or found[0] is not value:
            parts = {"_lock": value._lock} if isinstance(value, asyncio.Condition) else vars(value)  # type: ignore[attr-defined]
            found = value, [(part, each) for part, each in list(parts.items()) if isinstance(each, LoopBound)]
        self._locks[id(value)] = found
        for part, each in found[1]:
            self.by_id.setdefault(id(each), (name, f"{key}.{part}"))

    def _find_locks_of(self, module: ModuleType, before: dict[int, tuple[Any, list[tuple[str, Any]]]]) -> None:
        """The same of a module of the user's own that is not rewritten, and of those inside of it."""
        for key, value in list(vars(module).items()):
            if not key.startswith("__") and is_holder(value):
                self.holders.append((module.__name__, key, value))
            if isinstance(value, LoopBound):
                self.by_id.setdefault(id(value), (module.__name__, key))
                self._locks[id(value)] = value, []
            if type(value) is ModuleType:
                if value.__name__ == f"{module.__name__}.{key}" and value.__name__ not in PROGRAM:
                    self._find_locks_of(value, before)
            elif _has_attributes(value) or isinstance(value, asyncio.Condition):
                self._find_locks(module.__name__, key, value, before)

    def is_current(self, namespace: dict[str, Any], data: ScriptData | None) -> bool:
        """Whether nothing has been bound or rebound since."""
        return self._version == _version_of(namespace, data)


def _has_attributes(value: Any) -> bool:
    """Whether a module-level object of the user's own may keep a connection in an attribute."""
    return (
        isinstance(getattr(value, "__dict__", None), dict)
        and not isinstance(value, FunctionType)
        and not is_of_library(type(value).__module__)
    )


class Asked:
    """An object at module level that may be in use, or may have such objects in its attributes, or a module in its names."""

    __slots__ = ("_can_be_in_use", "_kind", "_kinds", "_parts", "module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name
        self._kind: type | None = None  # when it was looked at last
        self._can_be_in_use = False
        self._kinds: list[Any] = []  # of the attributes, when they were looked through
        self._parts: list[tuple[str, str, Questions]] = []  # those that may be in use: path in the module, name

    def in_use(self) -> tuple[str, Any, str] | None:
        """What is in use of it, by its path in the module; with what says so."""
        value = vars(sys.modules[self.module]).get(self.name)
        kind = type(value)
        if kind is not self._kind:
            self._kind, self._can_be_in_use = kind, can_be_in_use(kind)
        if self._can_be_in_use:
            use = in_use(value)
            return (self.name, value, use) if use else None
        attributes = getattr(value, "__dict__", None)
        if type(attributes) is not dict:
            return None
        kinds = [*attributes, *map(type, attributes.values())]
        if kinds != self._kinds:
            self._kinds = kinds
            found = ((key, type(each)) for key, each in attributes.items() if can_be_in_use(type(each)))
            self._parts = [(f"{self.name}.{key}", key, questions_of(kind)) for key, kind in found]
        for path, key, questions in self._parts:
            part = attributes[key]
            if questions is None or may_be_true(part, questions):
                use = in_use(part)
                if use:
                    return path, part, use
        return None


def _version_of(namespace: dict[str, Any], data: ScriptData | None) -> tuple[Any, ...]:
    values = namespace.values()
    kinds = map(id, map(type, values))  # an id alone may be that of a new object
    return id(namespace), list(namespace), list(map(id, values)), list(kinds), data and data.version()


class Names:
    """The module-level objects of all rewritten modules; of a script's data only what keeps its identity."""

    def __init__(self, script: ScriptData | None) -> None:
        self._script = script
        self._modules: dict[str, ModuleNames] = {}
        self._parts: list[tuple[str, ModuleNames]] = []
        self._looked_at = -1  # how many modules there were
        self.by_id: dict[int, Way] = {}
        self._shared: dict[int, tuple[Way, weakref.ref[Any]]] = {}  # locks that were found on a way, by id
        self._own: weakref.WeakSet[Any] = weakref.WeakSet()  # locks to which there is none
        self.container_places: list[Place] = []
        self._holders: list[dict[str, Any]] = []  # of the containers
        self._notes: list[tuple[str, str, dict[str, Any]]] = []  # module, name, and the dict that holds it
        self._asked: list[Asked] = []
        self.container_ids: set[int] = set()
        self.preludes: dict[bool, tuple[Any, Any]] = {}  # see ``pickler``

    @classmethod
    def of(cls, script: ScriptData | None) -> Names:
        """The names as they are now."""
        if script is None:
            names = _NAMES
        else:
            names = script.names = script.names or cls(script)
        names._refresh()
        return names

    @classmethod
    def known(cls, script: ScriptData | None) -> Names:
        """The names as they were when they were looked at last; quicker than ``of``, and the same for all modules of then."""
        names = _NAMES if script is None else script.names
        return names if names is not None and names._looked_at == len(PROGRAM) else cls.of(script)

    def _refresh(self) -> None:
        parts = []
        self._looked_at = len(PROGRAM)
        for name in list(PROGRAM):
            module = sys.modules.get(name)
            if module is None:
                continue
            namespace, data = vars(module), data_of(self._script, name)
            part = self._modules.get(name)
            if part is None or not part.is_current(namespace, data):
                part = self._modules[name] = ModuleNames(name, namespace, data, part)
            parts.append((name, part))
        if not self._parts or parts != self._parts:
            self._parts = parts
            self._merge()

    def _merge(self) -> None:
        self.by_id, self.container_places, self._holders, self.container_ids = {}, [], [], set()
        self.preludes, self._notes = {}, []
        self._asked = [Asked(name, key) for name, part in self._parts for key in part.asked]
        noted: set[int] = set()
        if self._script is not None:
            streams = ((id(stream), (module_name(process_state.__name__), f"STREAMS.{name}")) for name, stream in STREAMS.items())
            self.by_id.update(streams)
        self._add_container("sys", "modules", vars(sys))
        if any(part.runs_text for _, part in self._parts):
            self._add_container("builtins", "__dict__", {"__dict__": vars(builtins)})
        for name, part in self._parts:
            for number, place in part.by_id.items():
                self.by_id.setdefault(number, place)
            for key, holder in part.containers.items():
                self._add_container(name, key, holder)
            for key, holder in part.notes.items():
                if id(holder[key]) not in noted:
                    noted.add(id(holder[key]))
                    self._notes.append((name, key, holder))

        for module, name, namespace in _changed_elsewhere(self._script):
            self._add_container(module, name, namespace)
        for number, (module, name, _) in self.unmarked().items():
            self.by_id.setdefault(number, (module, name))
        for number, (way, _) in self._shared.items():
            self.by_id.setdefault(number, way)

    def unmarked(self) -> dict[int, tuple[str, str, Any]]:
        """The objects of modules that are not marked, by id."""
        unmarked = self._script.unmarked if self._script is not None else None
        found: dict[int, tuple[str, str, Any]] = unmarked.instances if unmarked is not None else {}
        return found

    def way_to(self, value: Any) -> Way | None:
        """How a primitive of asyncio is found that a module has, or that is in what a module has."""
        known = self.by_id.get(id(value))
        if known is None and isinstance(value, LOCKS) and value not in self._own:
            known = self._find_way(value)
            if known is None:
                self._own.add(value)
            else:
                number = id(value)
                self._shared[number] = known, weakref.ref(value, lambda _: self._forget(number))
                self.by_id[number] = known
        return known

    def _find_way(self, lock: Any) -> Way | None:
        for _, part in self._parts:
            for module, name, holder in part.holders:
                steps = find_steps(lock, holder)
                if steps is not None:
                    return module, name, steps
        return None

    def _forget(self, number: int) -> None:
        self._shared.pop(number, None)
        self.by_id.pop(number, None)

    def _add_container(self, module: str, name: str, holder: dict[str, Any]) -> None:
        """Refer to a container by name; one that has several names, by the first."""
        if id(holder[name]) not in self.container_ids:
            self.container_ids.add(id(holder[name]))
            self.container_places.append((module, name))
            self._holders.append(holder)

    def containers(self) -> list[Any]:
        """The containers themselves, in the order of their places."""
        return [holder[name] for holder, (_, name) in zip(self._holders, self.container_places, strict=True)]

    def first_in_use(self) -> tuple[str, str, Any, str] | None:
        """What is in use and could not be brought back: module, name, object, and what says so."""
        for asked in self._asked:
            found = asked.in_use()
            if found is not None:
                return asked.module, *found
        return None

    def notes(self) -> list[tuple[str, str, Any]]:
        """The weak dictionaries and sets, each once: module, name, dictionary."""
        return [(module, name, holder[name]) for module, name, holder in self._notes]


def _changed_elsewhere(script: ScriptData | None) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """See ``changed``: module, name, namespace."""
    for data in (script, *script.imported.values()) if script is not None else ():
        for (module, name), namespace in data.changed_elsewhere.containers() if data.changed_elsewhere is not None else ():
            yield module, name, namespace


_NAMES = Names(None)
