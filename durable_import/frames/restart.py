"""Coroutines of the plain variant that have not begun, made again with the code of the fast one.

There are such inside of an instance, where frames must be saved, if they were made before there was a runtime, or by functions
that code defines which has begun before.
"""

from __future__ import annotations

from types import CodeType, CoroutineType, FunctionType
from typing import Any

from ..hook.code_table import info_of
from .awaiting import COROUTINE_WRAPPER, coroutine_behind
from .capture import CREATED, cells_of, parts_of, variables_in


def durable_form(awaitable: Any) -> Any:
    """A coroutine of the plain variant that has not begun, or its ``__await__()``, made again; anything else as it is."""
    if type(awaitable) is COROUTINE_WRAPPER:
        coroutine = coroutine_behind(awaitable)
        made = durable_form(coroutine)
        return awaitable if made is coroutine else made.__await__()
    if type(awaitable) is not CoroutineType:
        return awaitable
    info = info_of(awaitable.cr_code)
    if info is None or info.durable is None:
        return awaitable
    parts = parts_of(awaitable)
    if parts.frame is None or parts.state != CREATED:
        return awaitable
    names = variables_in(parts.frame)
    cells = cells_of(awaitable, parts.code, names)
    closure = tuple(cells[name] for name in info.durable.co_freevars)
    function = FunctionType(info.durable, parts.frame.f_globals, awaitable.__name__, None, closure)
    function.__qualname__ = awaitable.__qualname__
    positional, keywords = arguments_of(parts.code, names)
    awaitable.close()  # it has been awaited, in its new form
    return function(*positional, **keywords)


def parameters_of(code: CodeType) -> tuple[str, ...]:
    """The names of a function's parameters."""
    many = bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)  # CO_VARARGS, CO_VARKEYWORDS
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + many]


def arguments_of(code: CodeType, values: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a frame that has not begun: positional and keyword."""
    names = code.co_varnames
    positional = [values[name] for name in names[: code.co_argcount]]
    end = code.co_argcount + code.co_kwonlyargcount
    keywords = {name: values[name] for name in names[code.co_argcount : end]}
    if code.co_flags & 0x04:  # CO_VARARGS
        positional += values[names[end]]
        end += 1
    if code.co_flags & 0x08:  # CO_VARKEYWORDS
        keywords |= values[names[end]]
    return positional, keywords
