"""From the plain variant of modules to the fast one, when there is a runtime.

A module that is imported while no runtime exists runs in its plain variant, at full speed. When a runtime comes to be, each
function of it gets its code of the fast variant in place, as in ``in_place``: decorated ones, methods, closures made already.

Code that has begun by then goes on as it is: it is no part of an instance. Functions that it defines from then on have code of
the plain variant, and so have those that the garbage collector has been told to freeze. They become instances all the same,
and inside of an instance their coroutines are made again before they begin: see ``frames.restart``.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Iterable
from types import FunctionType

from .code_table import ITERABLE_COROUTINE, PLAIN, info_of, is_refused, register_pending
from .in_place import functions_of_namespace

_searched: set[str] = set()  # modules that were being executed when all was searched: they may define more functions
_lock = threading.RLock()


def exchange() -> None:
    """Give the code of the fast variant to the functions that exist of modules that were imported without a runtime."""
    with _lock:
        register_pending()
        modules = list(PLAIN.items())
        for name, path in modules:
            _exchange(functions_of_namespace(getattr(sys.modules.get(name), "__dict__", {}), path))
        if any(name not in _searched for name, _ in modules):
            _exchange(value for value in gc.get_objects() if type(value) is FunctionType)
        for name, _ in modules:
            _searched.add(name)
            if not getattr(getattr(sys.modules.get(name), "__spec__", None), "_initializing", False):
                _searched.discard(name)
                PLAIN.pop(name, None)


def _exchange(functions: Iterable[FunctionType]) -> None:
    for function in functions:
        if is_refused(function.__code__):
            continue
        info = info_of(function.__code__)
        if info is not None and info.durable is not None:
            flag = function.__code__.co_flags & ITERABLE_COROUTINE  # ``types.coroutine`` has replaced the code
            function.__code__ = info.durable.replace(co_flags=info.durable.co_flags | flag) if flag else info.durable
