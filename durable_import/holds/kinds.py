"""Temporary."""
from __future__ import annotations
import enum, sys
from typing import Any
from ..hook.code_table import MODULES, info_of

class Kind(enum.Enum):
    SAVED = "saved"
    REOPENABLE = "reopenable"
    HOLDS = "holds"

def kind_of(manager: Any) -> Kind:
    cls = type(manager)
    gen = getattr(manager, "gen", None)
    code = getattr(gen, "gi_code", None) or getattr(gen, "ag_code", None)
    if code is not None:
        return Kind.SAVED if info_of(code) is not None else Kind.HOLDS
    if cls.__module__ in MODULES or cls.__module__.startswith(("durable_import", "asyncio", "contextlib", "_io", "decimal", "warnings")):
        return Kind.SAVED
    f = getattr(sys.modules.get(cls.__module__), "__file__", "") or ""
    if "site-packages" in f or "/lib/python3" in f or not f:
        return Kind.HOLDS
    return Kind.SAVED
