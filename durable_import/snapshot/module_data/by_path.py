"""Modules of a program's own that were loaded from a file which no search would find: what is saved by name has to lead to them.

``importlib.util.spec_from_file_location`` makes them, as loaders of plugins do.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.machinery import PathFinder
from typing import Any

from ...holds.kinds import is_of_library


class ModulesByPath:
    """Those that have come since the run began."""

    def __init__(self) -> None:
        self._seen = set(sys.modules)
        self._found: dict[str, str] = {}

    def files(self) -> dict[str, str]:
        """Their files, by their names."""
        if len(self._seen) != len(sys.modules):
            for name in sys.modules.keys() - self._seen:
                file = _file_of(name)
                if file and not is_of_library(name) and not _leads_to(name, file):
                    self._found[name] = file
            self._seen = set(sys.modules)
        return self._found


def _file_of(name: str) -> str:
    spec: Any = getattr(sys.modules[name], "__spec__", None)
    origin = getattr(spec, "origin", None)
    is_file = getattr(spec, "has_location", False) and isinstance(origin, str) and spec.name == name
    return os.path.abspath(str(origin)) if is_file else ""


def _leads_to(name: str, file: str) -> bool:
    """Whether the module would be found by its name."""
    package, _, _ = name.rpartition(".")
    path = getattr(sys.modules.get(package), "__path__", None) if package else None
    if package and path is None:
        return False
    spec = PathFinder.find_spec(name, path)
    return spec is not None and isinstance(spec.origin, str) and os.path.abspath(spec.origin) == file


def load_by_path(files: dict[str, str]) -> None:
    """Load those again that are not there. What one raises goes through: without it the rest cannot be read."""
    for name, file in files.items():
        if name in sys.modules or not os.path.exists(file):
            continue
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is not None and spec.loader is not None:
            module = sys.modules[name] = importlib.util.module_from_spec(spec)
            try:
                spec.loader.exec_module(module)
            except BaseException:
                del sys.modules[name]
                raise
