"""Methods looked up as the interpreter does for syntax: on the class, not on the instance."""

from __future__ import annotations

import types
from typing import Any

MISSING = object()


def in_class(kind: type, name: str) -> Any:
    """What a class has under a name, as it is; ``MISSING`` if it has nothing."""
    for base in kind.__mro__:
        if name in base.__dict__:
            return base.__dict__[name]
    return MISSING


def lookup_special(value: Any, name: str) -> Any:
    """A method looked up as the interpreter does for syntax: on the type, not on the instance. ``MISSING`` if there is none."""
    kind = type(value)
    found = in_class(kind, name)
    if type(found) is types.FunctionType:
        return types.MethodType(found, value)
    bind = getattr(type(found), "__get__", None)
    return found if bind is None else bind(found, value, kind)


def is_awaitable(value: Any) -> bool:
    """Whether ``await`` takes the value."""
    if type(value) is types.CoroutineType:
        return True
    if isinstance(value, types.GeneratorType):
        return bool(value.gi_code.co_flags & 0x100)  # CO_ITERABLE_COROUTINE
    return in_class(type(value), "__await__") is not MISSING
