"""The names that rewritten code uses beside the user's own.

None of them can be typed in Python source, so none can clash. Those in ``INTRINSICS`` are looked up in ``builtins``,
where ``frames.intrinsics`` puts them; all others are hidden local variables of the rewritten function.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence

PC = "@pc"  # the label of the suspension point where the frame is, or was last
AWAITED = "@a"  # what the frame awaits or delegates to
STATE = "@S"  # argument of a resume variant: the holder of the saved variables
TARGET_LABEL = "@r"  # in a resume variant: the label to fast-forward to, 0 once there
ITEM = "@v"  # in a resume variant: the item a for loop has just taken
STASH = "@s"  # in a resume variant: context and traceback of the exception being re-entered
SELECTED = "@k"  # in a resume variant: the case that matched
RESULT = "@result"  # in a comprehension that is a function: what it has made so far
KEY = "@key"  # in one of a dict: the key of the next value
RESUME_ONLY = frozenset({STATE, TARGET_LABEL, ITEM, STASH, SELECTED})


INTRINSICS = frozenset(
    {
        "@ON", "@step", "@outermost", "@instance", "@Suspension", "@pauses", "@signalled", "@BaseException",
        "@StopAsyncIteration", "@iter", "@opened", "@owes",
        "@rest", "@delegate", "@delegated", "@aiter", "@advance", "@type_of", "@with", "@awith", "@aenter", "@aexit",
        "@commit_point",
        "@stash", "@unstash", "@ExceptStar", "@matches", "@slice", "@visible", "@bound", "@super", "@is_exception", "@PRIMED",
        "@set",
    }
)  # fmt: skip


def is_hidden(name: str) -> bool:
    """Whether a local variable's name was made by the rewriter (``.0`` is the compiler's own, and is state)."""
    return name[:1] in ("@", "<")


def load(name: str) -> ast.Name:
    """An expression that reads ``name``."""
    return ast.Name(id=name, ctx=ast.Load())


def store(name: str) -> ast.Name:
    """A target that binds ``name``."""
    return ast.Name(id=name, ctx=ast.Store())


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """A call of an intrinsic."""
    return ast.Call(func=load(function), args=list(arguments), keywords=[])


def assign(name: str, value: ast.expr) -> ast.Assign:
    """The statement ``name = value``."""
    return ast.Assign(targets=[store(name)], value=value, lineno=0)


def clear(names: Sequence[str]) -> ast.Assign:
    """The statement that makes hidden variables let go of their values: natively these would leave the stack here."""
    statement = ast.Assign(targets=[store(name) for name in names], value=constant(None), lineno=0)
    statement.is_floating = True  # type: ignore[attr-defined]  # it takes the position of what comes next
    return statement


def constant(value: object) -> ast.Constant:
    """A literal."""
    return ast.Constant(value=value)  # type: ignore[arg-type]
