"""All reducers in one place: by exact type (``TABLE``), or by kind (``reduce_by_kind``).

Each returns what ``__reduce_ex__`` would, or NotImplemented where the native way is right. The functions that a reduce
value names are part of the snapshot format: they keep their module and name.
"""

from __future__ import annotations

import _io
import asyncio
from collections.abc import Callable
from typing import Any

from durable_import.snapshot import (
    classes,
    exceptions,
    files,
    iterators,
    itertools_state,
    parsing,
    process_objects,
    tracebacks,
    wrappers,
)

TABLE: dict[type, Callable[[Any], Any]] = {
    **iterators.TABLE,
    **itertools_state.TABLE,
    **files.TABLE,
    **tracebacks.TABLE,
    **wrappers.TABLE,
    **process_objects.TABLE,
    **parsing.TABLE,
}

_BY_KIND: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((BaseException,), exceptions.reduce_exception),
    ((type,), classes.reduce_class),
    ((process_objects.LoopBound,), process_objects.reduce_bound),
    ((asyncio.AbstractEventLoop,), process_objects.reduce_loop),
    ((_io._IOBase,), files.reduce_stream),
    (process_objects.PROCESS_BOUND, process_objects.refuse_process_bound),
)
# None of these has a metaclass of its own, which keeps the subclass test in C.
_KINDS = tuple(kind for kinds, _ in _BY_KIND for kind in kinds)


def reduce_by_kind(obj: Any) -> Any:
    """The reduce value of an object whose class derives from a kind that needs care, else NotImplemented."""
    cls = type(obj)
    if not issubclass(cls, _KINDS):
        return NotImplemented
    return next(reducer for kinds, reducer in _BY_KIND if issubclass(cls, kinds))(obj)
