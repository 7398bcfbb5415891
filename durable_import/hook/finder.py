"""The finder that stands first in ``sys.meta_path`` and gives marked modules a rewriting loader.

It finds nothing by itself. It asks the finders behind it, in their order, as the import system would, and takes their
first answer; only the loader in it is replaced, and only where the module is marked or a pattern names it. A module of
the standard library is not even looked into, unless a pattern asks for it by its top-level name.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib.machinery import SOURCE_SUFFIXES, ModuleSpec, SourceFileLoader
from importlib.util import LazyLoader
from types import ModuleType
from typing import Any

from durable_import.hook import cache, marker
from durable_import.hook.behind import FindersBehind
from durable_import.hook.loader import DurableSourceLoader, RewritingLoader, is_rewriting, rewriting_loader, source_path

__all__ = ["DurableFinder", "spec_is_marked"]

_SELF = __name__.partition(".")[0]  # not from ``ours``: where imports are lazy, that would be looked for by this finder

_STANDARD_LIBRARY = os.path.dirname(os.__file__) + os.sep
_SOURCE_SUFFIXES = tuple(SOURCE_SUFFIXES)
_CODE_METHODS = ("exec_module", "get_code", "source_to_code")


class DurableFinder:
    """A meta-path finder that has marked modules, and modules whose names match ``patterns``, rewritten.

    Patterns are those of ``fnmatch``, over full module names. A pattern with a wildcard in its first component (``*``)
    never means the standard library; ``asyncio.*`` does.
    """

    def __init__(self) -> None:
        self.patterns: tuple[str, ...] = ()
        self._behind = FindersBehind(self)

    def add_patterns(self, patterns: Iterable[str]) -> None:
        """Rewrite modules with these names, too."""
        import fnmatch  # noqa: F401  now: while a module is being looked for, its own import would look for it again

        self.patterns = tuple(dict.fromkeys((*self.patterns, *patterns)))

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """What the finders behind this one find, with a rewriting loader if the module is to be rewritten."""
        if _is_own(fullname) or is_rewriting():
            return None
        spec = self._behind.find_spec(fullname, path, target)
        if spec is not None and self.wants(fullname, spec, partial(_warn_of_near_miss, spec)):
            _replace_loader(spec)
        return spec

    def wants(self, fullname: str, spec: ModuleSpec, suspect: Callable[[bytes], object] | None = None) -> bool:
        """Whether the module that ``spec`` describes is to be rewritten, so far as names and marker tell. ``suspect``: see
        ``file_is_marked``."""
        if not spec.has_location or spec.loader is None or isinstance(spec.loader, RewritingLoader):
            return False
        if _is_own(fullname) or not source_path(spec).endswith(_SOURCE_SUFFIXES):
            return False
        return self._matches(fullname, spec) or (not _is_standard(fullname, spec) and spec_is_marked(spec, suspect))

    def _matches(self, fullname: str, spec: ModuleSpec) -> bool:
        if not self.patterns:
            return False
        from fnmatch import fnmatchcase

        patterns = [pattern for pattern in self.patterns if fnmatchcase(fullname, pattern)]
        if patterns and _is_standard(fullname, spec):
            top = fullname.partition(".")[0]
            return any(pattern.partition(".")[0] == top for pattern in patterns)
        return bool(patterns)


def _is_own(fullname: str) -> bool:
    return fullname.partition(".")[0] == _SELF


def _is_standard(fullname: str, spec: ModuleSpec) -> bool:
    """Whether the module is the standard library's, and not somebody's own of the same name."""
    return (
        fullname.partition(".")[0] in sys.stdlib_module_names
        and spec.origin is not None
        and spec.origin.startswith(_STANDARD_LIBRARY)
    )


def spec_is_marked(spec: ModuleSpec, suspect: Callable[[bytes], object] | None = None) -> bool:
    """Whether the source of a module that was found is marked. ``suspect``: see ``file_is_marked``."""
    path = source_path(spec)
    loader: Any = spec.loader
    try:
        if _gives_data_of_its_own(loader):
            return marker.source_is_marked(loader.get_data(path))
        return marker.file_is_marked(path, suspect)
    except OSError:  # no source there: an import by the ordinary loader shows whether that matters
        return False


def _gives_data_of_its_own(loader: Any) -> bool:
    get_data = getattr(type(loader), "get_data", None)
    return get_data is not None and get_data is not SourceFileLoader.get_data


def _replace_loader(spec: ModuleSpec) -> None:
    if type(spec.loader) is SourceFileLoader and spec.origin is not None:  # nearly always
        spec.cached = cache.bytecode_path(spec.origin)
        spec.loader = DurableSourceLoader(spec, spec.loader)
        return
    if isinstance(spec.loader, LazyLoader):
        holder: Any = spec.loader
        inner = ModuleSpec(spec.name, holder.loader, origin=spec.origin)
        _replace_loader(inner)
        holder.loader = inner.loader
        return
    loader: Any = rewriting_loader(spec)  # typeshed has no common type for loaders of files and of archives
    if loader is None:
        _warn(spec, "stays as it is: its loader does not hand out source code")
        return
    if isinstance(spec.loader, SourceFileLoader) and _transforms_code(spec.loader):
        _warn(spec, "is made durable, and loses what its loader does to the code")
    spec.loader = loader


def _transforms_code(loader: SourceFileLoader) -> bool:
    return any(getattr(type(loader), name) is not getattr(SourceFileLoader, name) for name in _CODE_METHODS)


def _warn(spec: ModuleSpec, what: str) -> None:
    message = f"module {spec.name!r} ({spec.origin}) was to be made durable: it {what} ({spec.loader!r})"
    warnings.warn(message, RuntimeWarning, stacklevel=4)  # the import statement


def _warn_of_near_miss(spec: ModuleSpec, head: bytes) -> None:
    from durable_import.hook.near_misses import near_miss  # rarely needed

    found = near_miss(head)
    if found:
        message = f"module {spec.name!r} ({spec.origin}) is not durable: {found}. What it awaits is not saved"
        warnings.warn(message, RuntimeWarning, stacklevel=6)  # the import statement
