"""The former place of ``durable_import.testing.contract``, kept for one release."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    contract = import_module("durable_import.testing.contract")
    if not hasattr(contract, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    text = "durable_import.stores.contract is now durable_import.testing.contract; the old name goes with the next release"
    warnings.warn(text, DeprecationWarning, stacklevel=2)
    return getattr(contract, name)
