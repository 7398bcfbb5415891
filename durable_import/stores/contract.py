"""The former place of ``durable_import.testing.contract``, kept for one release."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    place = import_module("durable_import.testing.faults" if name == "Faults" else "durable_import.testing.contract")
    if name.startswith("__") or not hasattr(place, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    text = f"durable_import.stores.contract.{name} is now {place.__name__}.{name}; the old name goes with the next release"
    warnings.warn(text, DeprecationWarning, stacklevel=2)
    return getattr(place, name)
