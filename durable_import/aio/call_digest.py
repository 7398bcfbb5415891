"""What a call is, in few bytes: the same in each process for the same function with the same arguments.

Other than parts of a key, arguments may be anything: what has no text that is the same in each process counts by its type.
"""

from __future__ import annotations

import dis
import gc
import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache, partial
from types import BuiltinFunctionType, CellType, CodeType, CoroutineType, FunctionType, GeneratorType, MethodType
from typing import Any

from .canonical import text_of
from .executors import ExecutorCall

LONGEST = 4096  # characters or bytes of an argument that are looked at, otherwise than as a whole
DEEPEST = 3  # from an awaitable to the coroutine that it stands for
_EMPTY = CellType()
_STORES = ("STORE_FAST", "DELETE_FAST", "STORE_DEREF", "DELETE_DEREF")


class CallDigest:
    """``text``: of the call that an awaitable is. ``is_under_way``: or may be, and its parameters may have new values."""

    __slots__ = ("text",)

    def __init__(self, awaitable: Any, *, is_under_way: bool = False) -> None:
        try:
            self.text = _text_of_call(awaitable, DEEPEST, is_under_way)
        except Exception:  # code of the user's that shows what a value has, or one without an end
            self.text = f"{type(awaitable).__module__}.{type(awaitable).__qualname__}"

    @property
    def digest(self) -> bytes:
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).digest()[:16]

    def keys(self, run_name: str) -> Iterator[str]:
        """The keys among the arguments that belong to a place in the program, of this run of an instance."""
        for found in re.finditer(re.escape(repr(run_name)[1:-1]) + r"(/[0-9.]+/[0-9]+)(?![0-9/])", self.text):
            yield run_name + found[1]


def _text_of_call(awaitable: Any, depth: int, is_under_way: bool) -> str:
    kind = type(awaitable)
    if kind is CoroutineType:
        return _text_of_frame(awaitable.cr_code, awaitable.cr_frame, is_under_way)
    if kind is GeneratorType:
        return _text_of_frame(awaitable.gi_code, awaitable.gi_frame, is_under_way)
    found = gc.get_referents(awaitable) if depth else []
    inner = [each for value in found for each in (value.values() if type(value) is dict else [value])]
    texts = [_text_of_call(each, depth - 1, is_under_way) for each in inner if type(each) in (CoroutineType, GeneratorType)]
    texts += [_text(each) for each in inner if type(each) in (str, int, tuple)]
    return f"{kind.__module__}.{kind.__qualname__}({','.join(sorted(texts))})"


def _text_of_frame(code: CodeType, frame: Any, is_under_way: bool) -> str:
    if frame is None:
        return code.co_qualname
    end = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 0x04) + bool(code.co_flags & 0x08)
    variables = frame.f_locals
    names = code.co_varnames[:end]
    if is_under_way:
        assigned = _assigned_in(code)
        names = tuple(name for name in names if name not in assigned)
    arguments = ",".join(f"{name}={_text(variables[name])}" for name in names if name in variables)
    outer = _text_of_outer(code, {name: variables[name] for name in code.co_freevars if name in variables})
    return f"{frame.f_globals.get('__name__')}.{code.co_qualname}({arguments}){outer}"


def _text_of_outer(code: CodeType, variables: dict[str, Any]) -> str:
    """Variables of the function around, which may be what a call is about, as arguments are; or caches and counters."""
    assigned = _assigned_in(code) if variables else frozenset()
    found = [
        f"{name}={value.__module__}.{value.__qualname__}" if isinstance(value, FunctionType) else f"{name}={_text(value)}"
        for name, value in variables.items()
        if name not in assigned and isinstance(value, (str, bytes, int, float, tuple, frozenset, FunctionType))
    ]
    return f"[{','.join(found)}]"


def _text_of_function(function: FunctionType) -> str:
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    variables = {name: cell.cell_contents for name, cell in cells if cell != _EMPTY}
    defaults = {str(number): value for number, value in enumerate(function.__defaults__ or ())}
    outer = _text_of_outer(function.__code__, {**variables, **defaults, **(function.__kwdefaults__ or {})})
    return f"{function.__module__}.{function.__qualname__}{outer}"


@lru_cache(maxsize=1000)
def _assigned_in(code: CodeType) -> frozenset[str]:
    """The variables that a function assigns."""
    found: set[str] = set()
    for each in dis.get_instructions(code):
        if each.opname.startswith(_STORES):
            found.update(each.argval if isinstance(each.argval, tuple) else (each.argval,))
    return frozenset(found)


def _text(value: Any) -> str:
    if type(value) in (bytes, str) and len(value) > LONGEST:
        data = value if type(value) is bytes else value.encode("utf-8", "surrogatepass")
        return f"{type(value).__name__}:{hashlib.sha256(data).hexdigest()}"
    return text_of(value, _otherwise)


def _otherwise(value: Any) -> str:
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(value, FunctionType):
        return _text_of_function(value)
    if isinstance(value, (BuiltinFunctionType, type)):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, MethodType):
        return f"{_text(value.__func__)} of {_text(value.__self__)}"
    if isinstance(value, partial):
        return f"{name}({_text((value.func, value.args, value.keywords))})"
    if isinstance(value, ExecutorCall):
        return f"{name}({_text((value.function, value.arguments))})"
    if isinstance(value, (CoroutineType, GeneratorType)):
        return _text_of_call(value, DEEPEST, False)
    if isinstance(value, str):
        return f"{name}:{str.__repr__(value)}"
    if isinstance(value, dict):
        return f"{name}({_text(dict(value))})"
    if hasattr(kind, "__attrs_attrs__"):
        return f"{name}({_text({each.name: getattr(value, each.name, None) for each in kind.__attrs_attrs__})})"
    if hasattr(kind, "model_fields"):
        return f"{name}({_text(dict(vars(value)))})"
    return name
