"""Names of a package that are loaded when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .pythons.support import tried


def late_names(package: str, modules: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The functions ``__getattr__`` and ``__dir__`` of a package that has these names, each from a module inside it."""
    namespace = sys.modules[package].__dict__

    def load(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        with tried(f"import of {modules[name]}"):
            value = namespace[name] = getattr(import_module(f".{modules[name]}", package), name)
        return value

    return load, lambda: sorted({*namespace, *modules})
