"""Libraries that are rewritten when the program's own modules import them: their scopes are kept with the tasks that are in them.

They are rewritten in place, when an instance begins, also if others have imported them before; no function of theirs becomes an
instance by itself.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType, ModuleType

from .code_table import MODULES, PROGRAM
from .in_place import functions_of_namespace, rewrite_function

COMPANIONS = {"anyio": ("anyio._backends._asyncio",)}  # with what they import late
_rewritten: set[str] = set()
_looked_at: set[str] = set()  # modules of the program
_lock = threading.RLock()


def rewrite_companions() -> bool:
    """Rewrite the libraries that modules imported since the last time use; whether there were any."""
    if _looked_at.issuperset(PROGRAM) or len(_rewritten) == len(COMPANIONS):
        return False
    before = len(_rewritten)
    with _lock:
        for name in set(PROGRAM) - _looked_at:
            _looked_at.add(name)
            used = set(_used_by(sys.modules.get(name))) - _rewritten
            for library in used:
                _rewritten.add(library)
                for late in COMPANIONS[library]:
                    import_module(late)
                for function in _one_of_each_module(library):
                    rewrite_function(function)
    return len(_rewritten) > before


def _used_by(module: ModuleType | None) -> Iterator[str]:
    for value in list(vars(module).values()) if module is not None else ():
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        top = name.partition(".")[0] if isinstance(name, str) else ""
        if top in COMPANIONS:
            yield top


def _one_of_each_module(library: str) -> Iterator[FunctionType]:
    for name, module in list(sys.modules.items()):
        is_of_it = name == library or name.startswith(library + ".")
        path = getattr(module, "__file__", None)
        if is_of_it and name not in MODULES and isinstance(path, str):
            found = (f for f in functions_of_namespace(vars(module), path) if f.__globals__ is vars(module))
            yield from list(found)[:1]
