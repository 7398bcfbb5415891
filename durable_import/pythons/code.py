"""Code objects as the compilers of the versions make them."""

from __future__ import annotations

import sys
from types import CodeType

LATE_ANNOTATIONS = sys.version_info >= (3, 14)  # whether annotations are evaluated when somebody asks for them


def is_annotate(code: CodeType) -> bool:
    """Whether a code object looks like what the compiler makes to evaluate annotations when they are asked for, since 3.14."""
    return code.co_name == "__annotate__" and code.co_posonlyargcount == code.co_argcount == 1 and code.co_varnames[0] in FORMAT


FORMAT = ("format", ".format")
