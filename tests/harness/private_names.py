"""Which private names of the standard library a package uses, as far as its sources show.

Seen: names that begin with one underscore and stand as an attribute (``x._name``), in an import, or in a short string of names
(``getattr(x, "_name")``, ``private("module._name")``, tables), unless the package gives the name a meaning of its own where it is
used: in the same file, in one that this imports, or in those of the base classes there. What ``self`` has is the package's own
if any of its classes has it. Not seen: names that are put together at run time, and a name that a library's object and a class of
the package share where both are used in one file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

DOTTED = re.compile(r"[A-Za-z_][\w.]*")
SELF = ("self", "cls")
MARKS = {"_suspends"}  # what the package itself notes on objects of the library


@dataclass(frozen=True)
class Use:
    """A private name, dotted from the module on where that is known, and where it stands."""

    name: str
    where: str
    is_of_module: bool = False  # of a module of another package, reached by its name


@dataclass(eq=False)
class Source:
    """A file of the package: what it defines, and the modules that it imports, by the names they have there."""

    path: Path
    package: Path
    tree: ast.Module = field(init=False)
    own: set[str] = field(init=False)
    modules: dict[str, str] = field(init=False)
    nodes: list[ast.AST] = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.path.read_bytes())
        self.nodes = list(ast.walk(self.tree))
        self.own = set(_defined(self.nodes))
        self.modules = {
            (alias.asname or alias.name.partition(".")[0]): alias.name if alias.asname else alias.name.partition(".")[0]
            for node in self.nodes
            if isinstance(node, ast.Import)
            for alias in node.names
        }

    def imported(self, names: set[str] | None = None) -> set[Path]:
        """The files of the package that it imports from, or those of them that it has some names from."""
        nodes = [node for node in self.nodes if isinstance(node, ast.ImportFrom)]
        wanted = [node for node in nodes if names is None or any(alias.name in names for alias in node.names)]
        return {path for node in wanted for path in self._files(node)}

    @cached_property
    def bases(self) -> set[Path]:
        """The files that the bases of its classes come from."""
        classes = [node for node in self.nodes if isinstance(node, ast.ClassDef)]
        return self.imported({base.id for node in classes for base in node.bases if isinstance(base, ast.Name)})

    def _files(self, node: ast.ImportFrom) -> Iterator[Path]:
        module = node.module or ""
        if node.level:
            base = self.path.parents[node.level - 1].joinpath(*module.split(".") if module else ())
        else:
            base = self.package.parent.joinpath(*module.split("."))
        yield base.with_suffix(".py")
        yield from (base / f"{alias.name}.py" for alias in node.names)


def is_private(name: str) -> bool:
    """Whether a name is meant to be private: ``_`` alone and ``__dunders__`` are not."""
    return name.startswith("_") and name.strip("_") != "" and not (name.startswith("__") and name.endswith("__"))


def _defined(nodes: list[ast.AST]) -> Iterator[str]:
    """The names that functions, classes, parameters, and assignments define; ``__slots__`` as strings."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
            yield node.attr
        elif isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__slots__" for t in node.targets):
            yield from strings(node.value)


def strings(tree: ast.AST) -> Iterator[str]:
    """The constants that are strings."""
    yield from (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in SELF


def _dotted(node: ast.expr) -> list[str] | None:
    """The parts of ``a.b.c``."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (before := _dotted(node.value)) is not None:
        return [*before, node.attr]
    return None


@cache
def uses(package: Path) -> list[Use]:
    """All uses in a package."""
    sources = {path: Source(path, package) for path in sorted(package.rglob("*.py"))}
    everywhere = set().union(*(source.own for source in sources.values()))
    found: list[Use] = []
    for source in sources.values():
        near = _with_bases([source, *_of(sources, source.imported())], sources)
        found += _uses_in(source, MARKS.union(*(each.own for each in near)), everywhere)
    return found


def _of(sources: dict[Path, Source], paths: Iterable[Path]) -> list[Source]:
    return [sources[path] for path in paths if path in sources]


def _with_bases(found: list[Source], sources: dict[Path, Source]) -> list[Source]:
    """Files, and those that the classes in them inherit from."""
    for each in found:  # which grows
        found += [base for base in _of(sources, each.bases) if base not in found]
    return found


def _uses_in(source: Source, near: set[str], everywhere: set[str]) -> Iterator[Use]:
    file = source.path.relative_to(source.package)
    for node in source.nodes:
        where = f"{file}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            yield from _attribute(source, node, everywhere if _is_self(node.value) else near, where)
        elif isinstance(node, ast.Import):
            yield from (Use(a.name, where, True) for a in node.names if any(map(is_private, a.name.split("."))))
        elif isinstance(node, ast.ImportFrom) and not node.level and not (node.module or "").startswith(source.package.name):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (Use(name, where, True) for name in names if any(map(is_private, name.split("."))))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (Use(name, where) for name in _names_in(node.value) if not _is_known(name, everywhere))


def _attribute(source: Source, node: ast.Attribute, own: set[str], where: str) -> Iterator[Use]:
    parts = _dotted(node)
    if parts is not None and parts[0] in source.modules:
        yield Use(".".join([source.modules[parts[0]], *parts[1:]]), where, True)
    elif node.attr not in own:
        yield Use(node.attr, where)


def _names_in(text: str) -> list[str]:
    """The private names in a string of nothing but names; a docstring is none."""
    words = text.split()
    if not all(DOTTED.fullmatch(word) for word in words):
        return []
    return [word for word in words if any(map(is_private, word.split(".")))]


def _is_known(name: str, everywhere: set[str]) -> bool:
    """Whether a string names, or is what begins the names of, something of the package's own."""
    return name in everywhere or (name.endswith("_") and any(own.startswith(name) for own in everywhere))
