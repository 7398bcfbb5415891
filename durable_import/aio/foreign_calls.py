"""What is known of the foreign code that steps call: whether it asks for the key of its step, and whether it waits.

A step whose code asks for its key is committed before it begins: after a crash the same call is made, with the same
arguments. Code that mentions ``step_key`` is known to ask, other code once it has done so. Of functions that share one code,
as those that a decorator has made, nothing is concluded from one to another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from inspect import CO_COROUTINE
from types import CodeType, CoroutineType, GeneratorType
from typing import Any

from ..pythons.codes import has_await, nested_codes
from .executors import begin_call

MOST = 20_000  # kinds of calls that are remembered: a program may make functions for ever


class ForeignCall:
    """What is known of the calls with one code; ``code``: that, or the type of an awaitable without any."""

    __slots__ = ("asks", "code", "condition", "waits")

    def __init__(self, code: Any) -> None:
        is_code = type(code) is CodeType
        self.code = code
        self.asks = is_code and _mentions_key(code)
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
    if kind is CoroutineType:
        code = awaitable.cr_code
        if (code is _IN_EXECUTORS[0] or code is _IN_EXECUTORS[1]) and awaitable.cr_frame is not None:
            variables = awaitable.cr_frame.f_locals
            code = _code_of(variables["call"].function if "call" in variables else variables["func"])
    elif kind is GeneratorType:
        code = awaitable.gi_code
    return _known.get(id(code)) or _note(code)


def ask_when(function: Any, condition: Callable[[Any], bool] | None = None) -> None:
    """The coroutines of a function ask for their step's key, on a condition."""
    call = _note(function.__code__)
    call.asks, call.condition = True, condition


def _note(code: Any) -> ForeignCall:
    if len(_known) >= MOST:
        for key in [key for key, call in _known.items() if call.condition is None]:
            del _known[key]
    call = _known[id(code)] = ForeignCall(code)
    return call


def _code_of(function: Any) -> Any:
    """The code of what is called in an executor."""
    while type(function) is partial:
        function = function.func
    function = getattr(function, "__func__", function)
    return getattr(function, "__code__", type(function))


def _mentions_key(code: CodeType) -> bool:
    return any("step_key" in (*each.co_names, *each.co_freevars) for each in (code, *nested_codes(code)))
