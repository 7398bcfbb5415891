"""Libraries that are rewritten when the program's own modules import them: their scopes are kept with the tasks that are in them,
and what they await for the program are its own steps.

They are rewritten in place, when an instance begins, also if others have imported them before; no function of theirs becomes an
instance by itself.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType

from .code_table import MODULES, PROGRAM
from .in_place import functions_of_namespace, rewrite_function

COMPANIONS = {
    "anyio": "anyio",
    "opentelemetry": "opentelemetry.util._decorator",
    "rich": "rich.progress",
    "structlog": "structlog.contextvars",
    "tqdm": "tqdm.asyncio",
}  # by library: the module of it that is rewritten, with those below it
when_rewritten: dict[str, Callable[[ModuleType], object]] = {}  # by module: what is called with it then
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
            _rewritten.update(used)
            for name_of_other, module in list(sys.modules.items()) if used else ():
                if is_of_rewritten(name_of_other):
                    rewrite_module(module)
    return len(_rewritten) > before


def _used_by(module: ModuleType | None) -> Iterator[str]:
    for value in list(vars(module).values()) if module is not None else ():
        if isinstance(value, (ModuleType, type, FunctionType)):
            name = value.__name__ if isinstance(value, ModuleType) else value.__module__
            top = name.partition(".")[0] if isinstance(name, str) else ""
            if top in COMPANIONS:
                yield top


def is_of_rewritten(name: str) -> bool:
    """Whether a module belongs to a library that was rewritten."""
    top = name.partition(".")[0]
    return top in _rewritten and f"{name}.".startswith(f"{COMPANIONS[top]}.")


def rewrite_module(module: ModuleType) -> None:
    """Rewrite a module of such a library, which may be imported later than the library."""
    path = getattr(module, "__file__", None)
    if module.__name__ in MODULES or not isinstance(path, str):
        return
    own = (f for f in functions_of_namespace(vars(module), path) if f.__globals__ is vars(module))
    for function in list(own)[:1]:  # and with it all others
        rewrite_function(function)
    if module.__name__ in when_rewritten:
        when_rewritten[module.__name__](module)
