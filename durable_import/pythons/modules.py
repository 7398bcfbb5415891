"""What modules look like."""

from __future__ import annotations

import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any

LAZY: Any = getattr(types, "LazyImportType", None)  # what ``lazy import`` binds, until it is used; since 3.15
HAS_CACHED = sys.version_info < (3, 15)  # the attribute ``__cached__``, which ``__spec__.cached`` says too
HAS_ANNOTATIONS = sys.version_info < (3, 14)  # also where nothing is annotated


def attributes_of_main(file: str, package: str | None, spec: ModuleSpec | None, loader: Any) -> dict[str, Any]:
    """The attributes that ``__main__`` begins with."""
    attributes: dict[str, Any] = {"__package__": package, "__loader__": loader, "__spec__": spec}
    attributes |= {"__builtins__": sys.modules["builtins"], "__file__": file}
    if HAS_CACHED:
        attributes["__cached__"] = spec.cached if spec is not None else None
    if HAS_ANNOTATIONS:
        attributes["__annotations__"] = {}
    return attributes


def is_lazy(value: Any) -> bool:
    """Whether a value of a module's namespace stands for something that is imported when the name is used."""
    return LAZY is not None and type(value) is LAZY


def imports_lazily(value: Any, module: str) -> bool:
    """Whether it stands for a module, or for something in it."""
    return is_lazy(value) and repr(value).startswith((f"<lazy_import '{module}'", f"<lazy_import '{module}."))
