"""Containers of modules that are not marked and that the program may change in place: ``helpers.CACHE[key] = value``.

Their module's own code makes them as they were when it is imported, so what the program has put into them is saved, once they
hold something else. Which these are is read from the text: a list, dict or set at the level of a module, of which the program
does more than look something up in it, and one that a function of such a module returns. They are saved by name, as those of
marked modules are.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from ...hook.code_table import MODULES
from ...pythons.codes import silent
from .fingerprints import fingerprint
from .modules import REFILLED, is_plain_instance

Place = tuple[str, str]  # module, name in it
_READING = frozenset(
    ("copy", "count", "get", "index", "items", "keys", "values", "isdisjoint", "issubset", "issuperset", "union")
)
_LOOKING = frozenset(
    ("all", "any", "bool", "dict", "enumerate", "filter", "frozenset", "id", "isinstance", "iter", "len", "list", "map", "max",
     "min", "next", "print", "repr", "reversed", "set", "sorted", "str", "sum", "tuple", "type", "zip")
)  # fmt: skip
_OTHERWISE = {("sys", "modules"), ("sys", "path"), ("warnings", "filters")}  # known in other ways
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def places_changed_by(module: str, namespace: dict[str, Any]) -> dict[Place, int]:
    """Which containers of other modules the functions of a module may change, and at which line first."""
    info = MODULES.get(module)
    if info is None:
        return {}
    with silent():
        tree = ast.parse(info.source)
    found: dict[Place, int] = {}
    for function in _outermost_functions(tree):
        for place, line in _places_in(function, namespace):
            found[place] = min(line, found.get(place, line))
    return found


def _outermost_functions(tree: ast.AST) -> Iterator[ast.AST]:
    waiting = [tree]
    while waiting:
        for each in ast.iter_child_nodes(waiting.pop()):
            if isinstance(each, _FUNCTIONS):
                yield each
            else:
                waiting.append(each)


def _places_in(function: ast.AST, namespace: dict[str, Any]) -> Iterator[tuple[Place, int]]:
    parents = {child: parent for parent in ast.walk(function) for child in ast.iter_child_nodes(parent)}
    imported = dict(_imported_in(function))
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and node in parents:
            place, top = _place_of(node, parents, imported, namespace)
            if place is not None and place not in _OTHERWISE and place[0] not in MODULES and _may_change(top, parents):
                yield place, node.lineno


def _imported_in(function: ast.AST) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names that a function imports, and what they stand for: a module, or what is in one."""
    for node in ast.walk(function):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield (each.asname, (each.name,)) if each.asname else (each.name.partition(".")[0],) * 2  # type: ignore[misc]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for each in node.names:
                yield each.asname or each.name, (node.module, each.name)


def _place_of(
    name: ast.Name, parents: dict[ast.AST, ast.AST], imported: dict[str, Any], namespace: dict[str, Any]
) -> tuple[Place | None, ast.AST]:
    """The place at the level of a module to which a name leads, and the expression that is it."""
    top: ast.AST = name
    held = imported.get(name.id)
    if isinstance(held, str):
        module: str | None = held
    elif held is not None:
        if len(held) == 2:
            inner = f"{held[0]}.{held[1]}"
            if inner not in sys.modules:
                return (held[0], held[1]), top
            held = (inner,)
        module = held[0]
    else:
        value = namespace.get(name.id)
        module = value.__name__ if type(value) is ModuleType else None
    while module is not None:
        parent = parents.get(top)
        if not isinstance(parent, ast.Attribute):
            return None, top
        top, inner = parent, f"{module}.{parent.attr}"
        if inner not in sys.modules:
            return (module, parent.attr), top
        module = inner
    return None, top


def _may_change(expression: ast.AST, parents: dict[ast.AST, ast.AST]) -> bool:
    """Whether what is done with an expression may be more than looking something up in its value."""
    parent = parents.get(expression)
    if isinstance(parent, ast.Subscript) and parent.value is expression:
        is_read = isinstance(parent.ctx, ast.Load)
        return not is_read or (not isinstance(parent.slice, ast.Slice) and _may_change(parent, parents))
    if isinstance(parent, ast.Attribute):
        call = parents.get(parent)
        is_called = isinstance(call, ast.Call) and call.func is parent
        if is_called and parent.attr in _READING:
            return _may_change(call, parents) if parent.attr == "get" and call is not None else False
        return True
    if isinstance(parent, ast.Call):
        return not (isinstance(parent.func, ast.Name) and parent.func.id in _LOOKING)
    if isinstance(parent, ast.keyword):
        return True
    if isinstance(parent, ast.AugAssign):
        return parent.target is expression
    if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
        return parent.value is expression  # under another name
    return isinstance(parent, (ast.Return, ast.Yield, ast.List, ast.Tuple, ast.Dict, ast.IfExp, ast.BoolOp, ast.withitem))


def _may_be_container(module: str, name: str) -> bool:
    return module not in sys.modules or type(vars(sys.modules[module]).get(name)) in REFILLED


class Changed:
    """The containers that one module of the program may change, as they were at first."""

    def __init__(self, module: str, namespace: dict[str, Any]) -> None:
        file = MODULES[module].path if module in MODULES else module
        found = places_changed_by(module, namespace)
        self.lines = {place: f"{file}:{line}" for place, line in found.items() if _may_be_container(*place)}
        self.others = [place for place in found if place not in self.lines]
        self._first = {place: fingerprint(value, is_plain_instance) for place, value in self._present()}
        self._is_changed: set[Place] = set()

    def _present(self) -> Iterator[tuple[Place, Any]]:
        for module, name in self.lines:
            is_ours = module in MODULES  # rewritten since the text was read: its data are looked at by themselves
            value = vars(sys.modules[module]).get(name) if module in sys.modules and not is_ours else None
            if type(value) in REFILLED:
                yield (module, name), value

    def knows(self, module: str, name: str) -> bool:
        """Whether what a module has under a name is one of those."""
        return any(place == (module, name) for place, _ in self._present())

    def line_of(self, place: Place) -> str:
        """Where the program may change it."""
        return self.lines[place]

    def add(self, place: Place, line: str) -> None:
        """One that the program gets hold of in another way."""
        if place not in self.lines and _may_be_container(*place):
            self.lines[place] = line
            self._first[place] = fingerprint(vars(sys.modules[place[0]])[place[1]], is_plain_instance)

    def containers(self) -> Iterator[tuple[Place, dict[str, Any]]]:
        """All that are there, with the namespaces that they stand in."""
        for place, _ in self._present():
            yield place, vars(sys.modules[place[0]])

    def contents(self) -> Iterator[tuple[Place, Any]]:
        """Those that hold something else than at first."""
        for place, value in self._present():
            if place not in self._is_changed and fingerprint(value, is_plain_instance) != self._first.get(place):
                self._is_changed.add(place)
            if place in self._is_changed:
                yield place, value
