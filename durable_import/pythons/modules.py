"""What modules look like."""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec
from typing import Any

HAVE_CACHED = sys.version_info < (3, 15)  # the attribute ``__cached__``, which ``__spec__.cached`` says too


def attributes_of_main(file: str, package: str | None, spec: ModuleSpec | None, loader: Any) -> dict[str, Any]:
    """The attributes that ``__main__`` begins with."""
    attributes: dict[str, Any] = {"__package__": package, "__loader__": loader, "__spec__": spec}
    attributes |= {"__builtins__": sys.modules["builtins"], "__file__": file}
    if HAVE_CACHED:
        attributes["__cached__"] = spec.cached if spec is not None else None
    return attributes
