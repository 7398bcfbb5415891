"""Code objects as the compilers of the versions make them, as they lie in one another, and how they are compiled once more."""

from __future__ import annotations

import opcode
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

FORMAT = ("format", ".format")  # how the compilers call the argument of what evaluates annotations


def nested_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """All code objects inside one, depth first, in the order of the constants."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant
            yield from nested_codes(constant)


_AWAITS = frozenset(opcode.opmap[name] for name in ("GET_AWAITABLE", "GET_ANEXT"))


def has_await(code: types.CodeType) -> bool:
    """Whether there is an await in a code object: a coroutine without any never waits."""
    return not _AWAITS.isdisjoint(code.co_code[::2])


def is_annotate(code: types.CodeType) -> bool:
    """Whether a code object looks like what the compiler makes to evaluate annotations when they are asked for, since 3.14."""
    return code.co_name == "__annotate__" and code.co_posonlyargcount == code.co_argcount == 1 and code.co_varnames[0] in FORMAT


@contextmanager
def silent() -> Iterator[None]:
    """In the block the compiler gives no warnings: for a source that was compiled before, when it has given them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
