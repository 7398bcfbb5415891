"""The same module twice in one process: as it is, and rewritten by the import hook."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import durable_import
from durable_import.hook.loader import RewritingLoader


def both(name: str) -> tuple[ModuleType, ModuleType]:
    """A marked module: imported by plain Python, and through the hook."""
    durable_import.uninstall()
    native = importlib.import_module(name)
    del sys.modules[name]
    durable_import.install()
    rewritten = importlib.import_module(name)
    durable_import.uninstall()
    assert isinstance(rewritten.__loader__, RewritingLoader)
    return native, rewritten
