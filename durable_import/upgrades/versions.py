"""Earlier versions of the program: the texts of its modules, rewritten again for the frames that began in them.

A version is known by a hash of its texts, and those by hashes of their own: what a store gives is checked by them, and the name
of the version stands in the sealed snapshot. So nothing is executed that the program has not executed before.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import sys
import threading
from functools import cached_property
from types import FunctionType
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from ..errors import MissingCodeError
from ..hook.code_table import MODULES, CodeInfo, ModuleInfo, fill_module, import_needed
from ..hook.program_version import hash_of, modules_in
from ..pythons.codes import silent
from ..rewrite.analysis.places import without_number
from ..rewrite.analysis.scopes import ScopeAnalysis
from ..rewrite.compiler import ModuleRewriting, compile_rewriting
from .kept import MissingVersionError
from .pinning import FUNCTIONS, Pinning
from .renames import new_module, new_place, said

if TYPE_CHECKING:
    from collections.abc import Mapping

_known: dict[str, Version] = {}
_lock = threading.RLock()


class PinnedModule(ModuleInfo):
    """A module as it was. ``tree``: as parsed."""

    def __init__(self, version: Version, name: str, source: bytes) -> None:
        today = MODULES.get(name)
        path = f"{today.path if today is not None else name} (as of {version.identity[:8]})"
        super().__init__(name, path, source, 0, version=version.identity)
        self._version = version
        self._decorators: dict[str, list[str]] = {}
        text = source.decode("utf-8", "replace")
        linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path
        with silent():
            rewritten = compile_rewriting(self._rewrite(), source)
        self.flags = rewritten.code.co_flags
        self.code = rewritten.code
        fill_module(self, rewritten)

    def rewriting(self) -> ModuleRewriting:
        """A run of the rewriter, as of any module."""
        if self._rewriting is None:
            with silent():
                self._rewriting = self._rewrite()
        return self._rewriting

    @cached_property
    def namesakes(self) -> dict[str, list[CodeInfo]]:
        """The functions by their places without numbers, and by what these are called today."""
        found: dict[str, list[CodeInfo]] = {}
        former = self._version.former[self.name]
        for place, info in self.by_place.items():
            plain = without_number(place)
            today = new_place(former, plain)[1] if said() else plain
            for each in {plain, today}:
                found.setdefault(each, []).append(info)
        return found

    def node(self, place: str) -> Any:
        """The definition at a place; None if there is none."""
        return self.rewriting().places.by_path.get(place)

    def decorators(self, place: str) -> list[str]:
        """Those of a definition, as they are written."""
        if place not in self._decorators:
            self._decorators[place] = [ast.unparse(each) for each in getattr(self.node(place), "decorator_list", [])]
        return self._decorators[place]

    def _rewrite(self) -> ModuleRewriting:
        namespace = self._version.namespace(self.name)
        names = self._version.bound[self.name] | self._version.starred(self.name)
        absent = {name for name in names if name not in namespace}
        pinning = Pinning(self._version.identity, self.name, self._version.members, absent)
        return ModuleRewriting(self.source, self.path, prepare=pinning)


class Version:
    """One version. ``texts``: by what the module is called today. ``made``: what was made of it once, by module and place."""

    def __init__(self, identity: str, texts: Mapping[str, bytes]) -> None:
        self.identity = identity
        self.former = {new_module(name): name for name in texts}  # what modules were called, by their names today
        self.texts = {today: texts[name] for today, name in self.former.items()}
        self._today = {name: today for today, name in self.former.items()}
        self.made: dict[tuple[str, str], Any] = {}
        self.of_functions: WeakKeyDictionary[FunctionType, FunctionType] = WeakKeyDictionary()  # by those of today, if another
        self.of_members: dict[tuple[type, str], tuple[Any, CodeInfo | None]] = {}  # by class: what it has today, and had then
        self._modules: dict[str, PinnedModule] = {}

    def module(self, name: str) -> PinnedModule | None:
        """A module as it was, by its name of then or of today; None if the version has none of that name."""
        name = self._today.get(name, name)
        with _lock:
            if name not in self._modules and name in self.texts:
                self._modules[name] = PinnedModule(self, name, self.texts[name])
            return self._modules.get(name)

    def find(self, module: str, place: str, digest: str | None = None) -> CodeInfo:
        """A function as it was. Raises MissingCodeError if the version has none such."""
        known = self.module(module)
        info = known.by_place.get(place) if known is not None else None
        if info is None or digest not in (None, info.digest):
            raise MissingCodeError(
                f"the saved state goes on in version {self.identity[:8]} of the program, which has no such {place!r} in module "
                f"{module!r}. Put the old code back to let it finish, or start afresh; the saved state is kept."
            )
        return info

    def namespace(self, module: str) -> dict[str, Any]:
        """The names of a module today. Raises MissingCodeError if it cannot be imported."""
        return vars(sys.modules.get(module) or import_needed(module))

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The modules as parsed."""
        with silent():
            return {name: ast.parse(text) for name, text in self.texts.items()}

    @cached_property
    def bound(self) -> dict[str, set[str]]:
        """By module: its module-level names."""
        return {name: ScopeAnalysis(tree).scopes[tree].bound for name, tree in self.trees.items()}

    def starred(self, module: str) -> set[str]:
        """The names that a module uses and may have had from ``import *``."""
        tree = self.trees[module]
        if not stars_in(tree):
            return set()
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        return {name for name in names - self.bound[module] if not hasattr(builtins, name)}

    @cached_property
    def members(self) -> frozenset[str]:
        """The names by which functions can be read as attributes: those in classes, and of modules."""
        found: set[str] = set().union(*self.bound.values()) if self.bound else set()
        for tree in self.trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    found.update(each.name for each in node.body if isinstance(each, FUNCTIONS))
        return frozenset(found)


def stars_in(tree: ast.Module) -> list[ast.ImportFrom]:
    """The statements ``from module import *``."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]


def known_version(identity: str) -> Version:
    """A version whose texts are here. Raises MissingVersionError."""
    if identity not in _known:
        raise MissingVersionError(identity)
    return _known[identity]


def is_known_version(identity: str) -> bool:
    """Whether the texts of a version are here."""
    return identity in _known


def add_version(identity: str, record: str, texts: Mapping[str, bytes]) -> Version:
    """Make a version known. ``texts``: by hash. Raises MissingCodeError if record or texts are not those of that name."""
    found = texts_in(identity, record, texts)
    with _lock:
        return _known.setdefault(identity, Version(identity, found))


def texts_in(identity: str, record: str, texts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The texts of a version by name of the module; raises as ``add_version`` does."""
    modules = modules_in(record) if hash_of(record.encode()) == identity else {}
    lacking = [name for name, each in modules.items() if hash_of(texts.get(each, b"")) != each]
    if not modules or lacking:
        what = f"the texts of {', '.join(lacking)} are" if lacking else "its record is"
        raise MissingCodeError(
            f"version {identity[:8]} of the program, in which the saved state goes on: {what} missing or damaged"
        )
    return {name: texts[each] for name, each in modules.items()}
