"""The program as its files are today: modules are found as an import finds them, and read; none is imported, nothing is run."""

from __future__ import annotations

import ast
import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from importlib.machinery import ModuleSpec, PathFinder
from typing import Any, get_args

from ..errors import UnsupportedSyntaxError
from ..hook.code_table import CodeInfo, ModuleInfo
from ..hook.marker import source_is_marked
from ..pythons.codes import nested_codes, silent
from ..rewrite.analysis.scopes import ScopeAnalysis
from ..rewrite.compiler import compile_module
from .policies import OfFunction

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
MAIN = "__main__"


class ModuleText:
    """A module as it is written. ``source`` is None if there is no text of it, as of a built-in one."""

    def __init__(self, name: str, path: str, source: bytes | None) -> None:
        self.name = name
        self.path = path
        self.source = source

    @property
    def is_package(self) -> bool:
        return self.path.endswith("__init__.py")

    @cached_property
    def is_marked(self) -> bool:
        return self.source is not None and source_is_marked(self.source)

    @cached_property
    def tree(self) -> ast.Module:
        """As parsed; empty if it cannot be."""
        try:
            with silent():
                return ast.parse(self.source or b"")
        except (SyntaxError, ValueError):
            return ast.Module([], [])

    @cached_property
    def error(self) -> str:
        """Why it could not be imported or rewritten, as far as its text says that; empty if it can."""
        try:
            _ = self.info
        except (SyntaxError, UnsupportedSyntaxError, ValueError) as error:
            return str(error)
        return ""

    @cached_property
    def info(self) -> ModuleInfo:
        """Its functions, as if it were imported. Raises SyntaxError and UnsupportedSyntaxError."""
        source = self.source or b""
        with silent():
            rewritten = compile_module(source, self.path)
        module = ModuleInfo(self.name, self.path, source, flags=rewritten.code.co_flags)
        for code, row in zip(nested_codes(rewritten.code), rewritten.table, strict=True):
            if row is not None:
                info = CodeInfo(code, module, *row)
                module.by_place.setdefault(info.place, info)
        return module

    def function(self, place: str) -> CodeInfo | None:
        """The function at a place; None if there is none, or if the module cannot be rewritten."""
        return None if self.error else self.info.by_place.get(place)

    @cached_property
    def bound(self) -> frozenset[str]:
        """Its module-level names."""
        return frozenset(ScopeAnalysis(self.tree).scopes[self.tree].bound)

    @cached_property
    def may_have_more(self) -> bool:
        """Whether it may have names that its text does not say."""
        stars = any(isinstance(n, ast.ImportFrom) and n.names[0].name == "*" for n in ast.walk(self.tree))
        return self.source is None or stars or "__getattr__" in self.bound or "globals" in _names(self.tree)

    @cached_property
    def policies(self) -> dict[tuple[str, str], OfFunction]:
        """What ``on_change`` says of its functions, by module and place."""
        return {(self.name, place): policy for place, policy in _policies(self.tree.body, "")}

    @cached_property
    def renamed(self) -> list[tuple[str, str]]:
        """What ``renamed`` says in it."""
        calls = (n for n in ast.walk(self.tree) if isinstance(n, ast.Call) and _last_name(n.func) == "renamed")
        return [(c.args[0].value, c.args[1].value) for c in calls if len(c.args) == 2 and all(map(_is_text, c.args))]  # type: ignore[attr-defined]

    @cached_property
    def imports(self) -> frozenset[str]:
        """The modules, or names in modules, that it imports; relative ones from where it is."""
        found = set[str]()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.update([node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)])
            elif isinstance(node, ast.ImportFrom):
                parts = self.name.split(".") if self.is_package else self.name.split(".")[:-1]
                around = parts[: len(parts) - node.level + 1]
                base = ".".join([*around, *([node.module] if node.module else [])])
                found.update([base, *(f"{base}.{alias.name}" for alias in node.names)])
        return frozenset(found)


def _names(tree: ast.Module) -> set[str]:
    return {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _policies(body: Iterable[Any], around: str) -> Iterator[tuple[str, OfFunction]]:
    for node in body:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            for each in node.decorator_list:
                policy = _said(each)
                if policy is not None:
                    yield around + node.name, policy
            nested = "." if isinstance(node, ast.ClassDef) else ".<locals>."
            yield from _policies(node.body, f"{around}{node.name}{nested}")
        else:
            yield from _policies((each for each in ast.iter_child_nodes(node) if isinstance(each, ast.stmt)), around)


def _said(decorator: ast.expr) -> OfFunction | None:
    if not isinstance(decorator, ast.Call) or _last_name(decorator.func) != "on_change" or not decorator.args:
        return None
    word = decorator.args[0]
    return word.value if isinstance(word, ast.Constant) and word.value in get_args(OfFunction) else None  # type: ignore[return-value]


class ProgramText:
    """The modules of a program. ``path``: the folders and archives where they are looked for; ``main``: what is ``__main__``."""

    def __init__(self, path: Sequence[str], main: ModuleText | None = None) -> None:
        self._path = list(path)
        self._known: dict[str, ModuleText | None] = {MAIN: main}
        self._specs: dict[str, ModuleSpec | None] = {}

    def module(self, name: str) -> ModuleText | None:
        """A module; None if there is none of that name."""
        if name not in self._known:
            self._known[name] = self._read(name)
        return self._known[name]

    def _read(self, name: str) -> ModuleText | None:
        spec = self._spec(name)
        if spec is None:
            return None
        loader: Any = spec.loader
        path = spec.origin or name
        if not hasattr(loader, "get_data") or not path.endswith((".py", ".pyw")):
            return ModuleText(name, path, None)
        try:
            return ModuleText(name, path, loader.get_data(path))
        except OSError:
            return ModuleText(name, path, None)

    def _spec(self, name: str) -> ModuleSpec | None:
        if name not in self._specs:
            self._specs[name] = self._find(name)
        return self._specs[name]

    def _find(self, name: str) -> ModuleSpec | None:
        """Where a module is: the packages around it are looked at, not imported."""
        package, _, last = name.rpartition(".")
        path = self._path
        if package:
            around = self._spec(package)
            if around is None or around.submodule_search_locations is None:
                return None
            path = list(around.submodule_search_locations)
        # By the last part of the name: in the given folders that is what is looked for, and no package has to be imported.
        spec = PathFinder.find_spec(last, path)
        for finder in sys.meta_path if spec is None else ():
            find = getattr(finder, "find_spec", None)
            if finder is not PathFinder and find is not None and spec is None:
                spec = find(name, path if package else None)
        return spec

    def below(self, name: str) -> list[str]:
        """A module, and all that is in it if it is a package."""
        found = self.module(name)
        if found is None or not found.is_package:
            return [name]
        inner = pkgutil.iter_modules([os.path.dirname(found.path)])
        return [name, *(each for info in inner for each in self.below(f"{name}.{info.name}"))]

    def with_imports(self, names: Iterable[str]) -> list[ModuleText]:
        """Modules, and those of the program that they import, directly or by way of others."""
        seen, waiting = dict[str, ModuleText](), list(names)
        while waiting:
            name = waiting.pop()
            if name in seen or name.partition(".")[0] in sys.stdlib_module_names:
                continue
            found = self.module(name) if name else None
            if found is None or found.source is None or "site-packages" in found.path:
                continue
            seen[name] = found
            package = name.rpartition(".")[0]
            waiting += [*found.imports, *([package] if package else [])]
        return list(seen.values())
