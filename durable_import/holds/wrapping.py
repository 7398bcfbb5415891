"""Other code for a function that exists, in place: whoever has the function already has it too.

The function stays what it is: its name, its module, whether it is a coroutine function. ``inspect`` finds what it was by
``__wrapped__``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from ..frames.hiding import visible_part
from ..pythons.codes import nested_codes, silent
from ..pythons.versions import LATE_ANNOTATIONS

Call = Callable[[tuple[Any, ...], dict[str, Any]], Any]

_CALL, _VISIBLE = "@call", "@visible"
_SOURCE = """
def outer():
    {names} = None
    {kind}def function(*args, **kwargs):
        ({names})
        try:
            return {waits}"@call"(args, kwargs)
        except BaseException as error:
            error.__traceback__ = "@visible"(error.__traceback__)
            raise
"""


def is_wrapped(function: FunctionType) -> bool:
    """Whether a function has other code already."""
    return function.__code__.co_filename == __file__


def wrap(function: Any, make: Callable[[FunctionType], Call]) -> None:
    """Let a function do what ``make`` gives for a copy of it as it was, called with its arguments.

    For a coroutine function that gives an awaitable.
    """
    before = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    before.__kwdefaults__ = function.__kwdefaults__
    before.__qualname__, before.__module__, before.__doc__ = function.__qualname__, function.__module__, function.__doc__
    for name in ("__annotate__", "__type_params__") if LATE_ANNOTATIONS else ("__annotations__", "__type_params__"):
        if hasattr(function, name):
            setattr(before, name, getattr(function, name))
    before.__dict__.update(function.__dict__)
    code = _code(inspect.iscoroutinefunction(function), len(function.__code__.co_freevars))
    replaced = {_CALL: make(before), _VISIBLE: visible_part}
    constants = tuple(replaced.get(c, c) if type(c) is str else c for c in code.co_consts)
    function.__code__ = code.replace(co_consts=constants, co_name=function.__name__, co_qualname=function.__qualname__)
    function.__wrapped__ = before


def _code(is_coroutine: bool, cells: int) -> CodeType:
    """The code of such a function; it has as many free variables as the one whose place it takes, and does not use them."""
    names = [f"c{number}" for number in range(cells)]
    words = {"kind": "async ", "waits": "await "} if is_coroutine else {"kind": "", "waits": ""}
    text = _SOURCE.replace("{names} = None", f"{' = '.join(names)} = None" if cells else "").replace(
        "({names})", f"({', '.join(names)})"
    )
    with silent():  # what is called looks like a string
        codes = nested_codes(compile(text.format(**words), __file__, "exec", dont_inherit=True))
        return list(codes)[-1]
