"""The module-level data of libraries that a pattern names: what differs from what their own code has made.

A library's own code runs again after a restart, perhaps in a later version: what it makes when it is imported stays as that code
makes it. So what each variable held is noted when a run begins, and saved is what has held something else since, in this life or
in an earlier one. Looked at are the variables of a module and the attributes of its classes: what can be refilled, plain
instances, counters, and what functions rebind. Of a module that is imported later all of these are saved.
"""

from __future__ import annotations

import dis
import itertools
import re
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

from ...hook.code_table import PROGRAM, ModuleInfo
from ...pythons.modules import is_lazy
from .code_parts import Extent, class_at, classes_in
from .fingerprints import Structure, fingerprint, plain_fingerprint
from .mentions import with_nested
from .modules import (
    ATOMS,
    REFILLED,
    Content,
    ScriptData,
    class_content,
    content_of,
    is_plain_instance,
)

Variable = tuple[str, Mapping[str, Any], str]  # its path in the module, what holds it, its name there
Known = int | Structure  # what a variable held at first
_MISSING = object()
_first: WeakKeyDictionary[ModuleType, dict[str, Known]] = (
    WeakKeyDictionary()
)  # before any run of this process: see ``LibraryData``
_STORE_GLOBAL = dis.opmap["STORE_GLOBAL"]


def rebound_names(module: ModuleInfo) -> frozenset[str]:
    """The module-level names that a module's functions rebind."""
    return frozenset(
        instruction.argval
        for info in list(module.by_place.values())
        for code in with_nested(info.code)
        if _STORE_GLOBAL in code.co_code[::2]
        for instruction in dis.get_instructions(code)
        if instruction.opname == "STORE_GLOBAL"
    )


def counters_in(namespace: dict[str, Any]) -> frozenset[str]:
    """The names of iterators that count: one that goes on where it was is another object."""
    return frozenset(name for name, value in list(namespace.items()) if type(value) is itertools.count)


def variables_of(module: str, namespace: dict[str, Any], rebound: frozenset[str]) -> Iterator[Variable]:
    """The variables of a module whose objects can be saved, and the attributes of its classes."""
    for name, value in list(namespace.items()):
        if name.startswith("__") or is_lazy(value):
            continue
        if name in rebound or _is_kept(value):
            yield name, namespace, name
        else:
            for path, cls in classes_in(name, value, module):
                yield from _variables_of_class(path, cls)
    yield from ((name, namespace, name) for name in rebound if name not in namespace)


def _variables_of_class(path: str, cls: type) -> Iterator[Variable]:
    for attribute, held in () if issubclass(cls, Enum) else list(vars(cls).items()):
        if not attribute.startswith("__") and attribute != "_abc_impl" and (type(held) in ATOMS or _is_kept(held)):
            yield f"{path}.{attribute}", vars(cls), attribute


def _is_kept(value: Any) -> bool:
    kind = type(value)
    if kind in REFILLED or kind is itertools.count:
        return True
    return is_plain_instance(value) and not hasattr(kind, "__get__")


def fingerprints_of(variables: list[Variable]) -> dict[str, int]:
    """What variables hold, by their paths."""
    return {path: _fingerprint(holder, name) for path, holder, name in variables}


def _fingerprint(holder: Mapping[str, Any], name: str) -> int:
    value = holder.get(name, _MISSING)
    return fingerprint(value, is_plain_instance)


def known_of(variables: list[Variable]) -> dict[str, Known]:
    """The same, to be compared often."""
    known: dict[str, Known] = {}
    for path, holder, name in variables:
        value = holder.get(name, _MISSING)
        plain = plain_fingerprint(value)
        known[path] = plain if plain is not None else Structure(value, is_plain_instance)
    return known


def _is_same(value: Any, known: Known | None) -> bool:
    return known.is_of(value) if isinstance(known, Structure) else known is not None and plain_fingerprint(value) == known


class LibraryData:
    """The data of one module of a library.

    ``is_new``: whether nothing that has run could have changed them.
    """

    def __init__(self, script: ScriptData, module: ModuleInfo, *, is_new: bool) -> None:
        empty = frozenset[str]()
        self.data = ScriptData(module.name, empty, empty, process_state=script.process_state, is_imported=True, changed=set())
        self._rebound = rebound_names(module)
        self._extent: Extent | None = None
        self._plain: list[Variable] = []
        self._others: list[Variable] = []
        self._plain_known: int | None = None
        self._list()
        imported = sys.modules[module.name]
        if imported not in _first:
            _first[imported] = known_of(self._plain + self._others) if is_new else {}
        self._known = _first[imported]

    def _list(self) -> None:
        namespace = self.data.namespace()
        if self._extent is None or not self._extent.is_of(namespace):
            self._extent, self._plain, self._others = Extent(namespace), [], []
            for variable in variables_of(self.data.module, namespace, self._rebound):
                is_plain = plain_fingerprint(variable[1].get(variable[2], _MISSING)) is not None
                (self._plain if is_plain else self._others).append(variable)
            self._plain_known = None

    def _all_plain(self) -> int | None:
        return plain_fingerprint([holder.get(name, _MISSING) for _, holder, name in self._plain])

    def look(self) -> None:
        """Note what has changed."""
        self._list()
        self._look_at(self._others)
        now = self._all_plain()
        if now is None or now != self._plain_known:
            self._look_at(self._plain)
            self._plain_known = now

    def _look_at(self, variables: list[Variable]) -> None:
        changed = self.data.changed
        assert changed is not None
        for path, holder, name in variables:
            if path not in changed and not _is_same(holder.get(name, _MISSING), self._known.get(path)):
                self.has_changed(path)

    def has_changed(self, path: str) -> None:
        """A variable holds something else than the module's own code has given it."""
        assert self.data.changed is not None
        self.data.changed.add(path)
        self._known.pop(path, None)  # it keeps objects alive
        if path in self._rebound or type(self.data.namespace().get(path)) is itertools.count:
            self.data.rebound |= {path}


def find_libraries(script: ScriptData, names: set[str], *, is_new: bool) -> None:
    """Look at the data of the libraries' modules with these names; those that have changed belong to the program's."""
    for name in names:
        library = script.libraries.get(name)
        if library is None:
            library = script.libraries[name] = LibraryData(script, PROGRAM[name], is_new=is_new)
        if not is_new:
            library.look()
            if library.data.changed:
                script.imported[name] = library.data


def library_contents(data: ScriptData) -> dict[str, Content]:
    """What to save of a library's module, by name."""
    assert data.changed is not None
    namespace = data.namespace()
    found: dict[str, Content] = {}
    for path in data.changed - data.unsavable:
        owner, _, attribute = path.rpartition(".")
        if owner:
            cls = class_at(namespace, owner)
            if cls is not None and attribute in vars(cls):
                found[f"class {path}"] = ("class", cls, {attribute: class_content(vars(cls)[attribute])})
        elif path not in namespace:
            found[path] = ("unbound", None, None)
        else:
            content = content_of(namespace[path], rebound=path in data.rebound)
            if content is not None:
                found[path] = content
    return found


def line_of(module: ModuleInfo, path: str) -> int:
    """The line at which a variable of a module is bound first; 1 if that is not to be seen."""
    name = re.escape(path.rpartition(".")[2])
    found = re.search(rf"(?m)^[ \t]*(?:global )?{name}\b", module.source.decode("utf-8", "replace"))
    return module.source.count(b"\n", 0, len(found.string[: found.start()].encode())) + 1 if found is not None else 1


def first_fingerprints(data: ScriptData) -> dict[str, int]:
    """What the variables of a script, or of a marked module, hold."""
    if data.module not in sys.modules:
        return {}
    return fingerprints_of(list(variables_of(data.module, data.namespace(), data.used | data.rebound)))


def has_changed(data: ScriptData, path: str) -> bool:
    """Whether a variable of a script, or of a marked module, holds something else than at first; not if that is unknown."""
    owner, _, attribute = path.rpartition(".")
    known = data.first.get(path)
    if known is None or not (owner or path in data.namespace()):
        return False
    cls = class_at(data.namespace(), owner)
    holder = vars(cls) if cls is not None else data.namespace()
    return _fingerprint(holder, attribute) != known
