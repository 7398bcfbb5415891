"""Code objects as the compilers of the versions make them."""

from __future__ import annotations

from types import CodeType

FORMAT = ("format", ".format")


def is_annotate(code: CodeType) -> bool:
    """Whether a code object looks like what the compiler makes to evaluate annotations when they are asked for, since 3.14."""
    return code.co_name == "__annotate__" and code.co_posonlyargcount == code.co_argcount == 1 and code.co_varnames[0] in FORMAT
