"""What is known of the foreign code that steps call: whether it asks for the key of its step, and whether it waits.

A step whose code asks for its key is committed before it begins: after a crash the same call is made, with the same
arguments. A function that mentions ``step_key`` is known to ask, and one that mentions such a function, or such a method of its
own object, of a module which has something of this package; other code once it has done so. Of functions that share one code, as
those that a decorator has made, nothing is concluded from one to another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from inspect import CO_COROUTINE
from types import CodeType, CoroutineType, FrameType, FunctionType, GeneratorType, MethodType
from typing import Any

from ..ours import NAME, PREFIX
from ..pythons.codes import has_await, nested_codes
from .executors import begin_call

MOST = 20_000  # kinds of calls that are remembered: a program may make functions for ever


class ForeignCall:
    """What is known of the calls with one code; ``code``: that, or the type of an awaitable without any."""

    __slots__ = ("asks", "code", "condition", "waits")

    def __init__(self, code: Any, namespace: dict[str, Any], owner: type | None) -> None:
        is_code = type(code) is CodeType
        self.code = code
        self.asks = is_code and _mentions_key(code, namespace, owner, set())
        self.condition: Callable[[Any], bool] | None = None  # on which it asks
        self.waits = not is_code or not code.co_flags & CO_COROUTINE or has_await(code)  # as far as is known

    def asks_in(self, awaitable: Any) -> bool:
        """Whether this call of it asks for the key of its step."""
        return self.asks and (self.condition is None or self.condition(awaitable))

    def has_asked(self) -> None:
        """It has asked."""
        if type(self.code) is CodeType and not self.code.co_freevars:
            self.asks = True


_IN_EXECUTORS = (begin_call.__code__, asyncio.to_thread.__code__)
_known: dict[int, ForeignCall] = {}  # by the id of what they hold


def foreign_call(awaitable: Any) -> ForeignCall:
    """What is known of the call that an awaitable is."""
    kind = type(awaitable)
    code: Any = kind
    frame: Any = None
    if kind is CoroutineType:
        code, frame = awaitable.cr_code, awaitable.cr_frame
        if (code is _IN_EXECUTORS[0] or code is _IN_EXECUTORS[1]) and frame is not None:
            function, owner = _called(frame.f_locals)
            code = getattr(function, "__code__", type(function))
            return _known.get(id(code)) or _note(code, getattr(function, "__globals__", {}), owner)
    elif kind is GeneratorType:
        code, frame = awaitable.gi_code, awaitable.gi_frame
    known = _known.get(id(code))
    if known is not None:
        return known
    return _note(code, frame.f_globals, _owner_of(frame)) if frame is not None else _note(code, {})


def ask_when(function: Any, condition: Callable[[Any], bool] | None = None) -> None:
    """The coroutines of a function ask for their step's key, on a condition."""
    call = _note(function.__code__, {})
    call.asks, call.condition = True, condition or _always


def _always(_: Any) -> bool:
    return True


def _owner_of(frame: FrameType) -> type | None:
    """The class of the first argument of a call that has not begun: that of ``self``, in a method."""
    first = frame.f_code.co_varnames[: frame.f_code.co_argcount][:1]
    return type(frame.f_locals[first[0]]) if first and first[0] in frame.f_locals else None


def _note(code: Any, namespace: dict[str, Any], owner: type | None = None) -> ForeignCall:
    if len(_known) >= MOST:
        for key in [key for key, call in _known.items() if call.condition is None]:
            del _known[key]
    call = _known[id(code)] = ForeignCall(code, namespace, owner)
    return call


def _called(variables: dict[str, Any]) -> tuple[Any, type | None]:
    """The function that is called in an executor, and the class of its object if it is a method."""
    function = variables["call"].function if "call" in variables else variables["func"]
    while type(function) is partial:
        function = function.func
    if type(function) is MethodType:
        return function.__func__, type(function.__self__)
    return function, None


def _mentions_key(code: CodeType, namespace: dict[str, Any], owner: type | None, seen: set[int]) -> bool:
    """Whether a function mentions ``step_key``, or one of its module, or of another with something of ours, that does.

    ``owner``: the class whose methods it may mention.
    """
    seen.add(id(code))
    for each in (code, *nested_codes(code)):
        if "step_key" in each.co_names or "step_key" in each.co_freevars:
            return True
        for name in each.co_names:
            for other in (namespace.get(name), _method(owner, name)):
                if type(other) is not FunctionType or id(other.__code__) in seen or not _has_ours(other.__globals__):
                    continue
                if _mentions_key(other.__code__, other.__globals__, owner, seen):
                    return True
    return False


def _method(owner: type | None, name: str) -> Any:
    """What a class has under a name, as a function if it is one in some way."""
    found = next((vars(base)[name] for base in owner.__mro__ if name in vars(base)), None) if owner is not None else None
    return getattr(found, "fget", None) if isinstance(found, property) else getattr(found, "__func__", found)


def _has_ours(namespace: dict[str, Any]) -> bool:
    """Whether a module has something of this package: it may ask for keys."""
    if NAME in namespace:
        return True
    named = (value.__module__ for value in list(namespace.values()) if type(value) in (FunctionType, type))
    return any(type(module) is str and module.startswith(PREFIX) for module in named)
