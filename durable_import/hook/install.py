"""Switch the import hook on and off."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import ModuleType

from durable_import.hook.cells import leave_cells, watch_cells
from durable_import.hook.finder import DurableFinder
from durable_import.hook.loader import RewritingLoader
from durable_import.hook.switch import set_strict

__all__ = ["install", "uninstall"]

_lock = threading.Lock()
_finder: DurableFinder | None = None
_named: set[str] = set()  # modules that a warning has named already


def install(modules: Iterable[str] = (), *, strict: bool | None = None) -> None:
    """Rewrite every module marked ``# durable: on`` that is imported from now on.

    ``modules`` are patterns (as of ``fnmatch``, over full names: ``"shop.*"``) of modules to rewrite without a mark.
    ``strict``: whether rewritten async functions refuse to run where nothing of them is saved, without a runtime or inside a
    step, by a DurableError; None: as the environment variable DURABLE_STRICT says (1 or 0), else as it was, at first not.
    Calling again adds patterns and is otherwise without effect.

    Modules that are imported already stay as they are; a RuntimeWarning names those that would have been rewritten. In IPython
    and in notebooks another one names the cells that are marked: what is defined in a cell is not rewritten.
    Raises TypeError if ``modules`` is a string or holds something else than strings.
    """
    global _finder
    patterns = _checked(modules)
    set_strict(strict)
    with _lock:
        if _finder is None or _finder not in sys.meta_path:
            _finder = DurableFinder()
            sys.meta_path.insert(0, _finder)
            _named.clear()
        elif set(patterns) <= set(_finder.patterns):
            return
        _finder.add_patterns(patterns)
        late = [name for name in _too_late(_finder) if name not in _named]
        _named.update(late)
    watch_cells()
    if late:
        warnings.warn(
            f"imported before durable_import.install(), therefore not durable: {', '.join(late)}. "
            "Call install() before importing them, or start with `python -m durable_import run`",
            RuntimeWarning,
            stacklevel=2,
        )


def uninstall() -> None:
    """Rewrite no further modules, forget all patterns, be strict no more; what has been rewritten stays so."""
    global _finder
    set_strict(False)
    leave_cells()
    with _lock:
        finder, _finder = _finder, None
        if finder is not None and finder in sys.meta_path:
            sys.meta_path.remove(finder)


def _checked(modules: Iterable[str]) -> tuple[str, ...]:
    patterns = () if isinstance(modules, str) else tuple(modules)
    if isinstance(modules, str) or not all(isinstance(pattern, str) for pattern in patterns):
        raise TypeError(f"modules must be a collection of module name patterns, not {modules!r}")
    return patterns


def _too_late(finder: DurableFinder) -> Iterator[str]:
    """Names of the modules that are imported but not rewritten although ``finder`` would have them rewritten."""
    for name, module in list(sys.modules.items()):
        spec = _ordinary_spec(name, module)
        if spec is not None and finder.wants(spec.name, spec):
            yield name


def _ordinary_spec(name: str, module: object) -> ModuleSpec | None:
    """The spec of a module that is not rewritten; read without waking a lazy module."""
    if not issubclass(type(module), ModuleType):  # some only pass for a module, and have no names of their own
        return None
    namespace = object.__getattribute__(module, "__dict__")
    spec, loader = namespace.get("__spec__"), namespace.get("__loader__")
    if name == "__main__" and spec is None and isinstance(namespace.get("__file__"), str):
        spec = spec_from_file_location(name, namespace["__file__"])  # a script
    if not isinstance(spec, ModuleSpec) or isinstance(loader, RewritingLoader):
        return None
    return None if isinstance(spec.loader, RewritingLoader) else spec
