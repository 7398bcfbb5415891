"""What the compiler makes functions of, to be evaluated when somebody asks for it; their code has places of its own.

That are the bounds and defaults of type parameters and the values of type aliases, since Python 3.12, and annotations, since
3.14; until then these are evaluated where the definition is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

LATE = ("<annotate>", "<bound ", "<default ", "<value ")  # how the last part of a place of such code begins
ANNOTATE = ".<annotate>"  # what the place of a definition becomes for what evaluates its annotations
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def is_late(place: str) -> bool:
    """Whether it is the place of code that is evaluated late."""
    return place.rpartition(".")[2].startswith(LATE)


def evaluated_late(node: Any) -> Iterator[tuple[ast.AST, str, str]]:
    """What of a type parameter or alias is: nodes that begin where its code does, each with its own name and the code's."""
    kind = type(node).__name__
    if kind == "TypeAlias":
        yield node, f"<value {node.name.id}>", node.name.id
    elif kind in ("TypeVar", "ParamSpec", "TypeVarTuple"):
        for field, word in (("bound", "bound"), ("default_value", "default")):
            if getattr(node, field, None) is not None:
                yield getattr(node, field), f"<{word} {node.name}>", node.name


@dataclass(frozen=True)
class Annotations:
    """What evaluates the annotations of a definition."""

    owner: ast.AST


@dataclass(frozen=True)
class Annotation:
    """One of them. ``condition``: its number among those in blocks of a class, which only hold if they were come to."""

    name: str
    value: ast.expr
    condition: int | None = None


def annotations_of(node: Any) -> list[Annotation]:
    """The annotations of a function or class, in the order of evaluation."""
    if isinstance(node, ast.ClassDef):
        return list(_numbered(_of_block(node.body, is_conditional=False)))
    arguments = node.args
    places = [*arguments.posonlyargs, *arguments.args, arguments.vararg, *arguments.kwonlyargs, arguments.kwarg]
    found = [Annotation(a.arg, a.annotation) for a in places if a is not None and a.annotation is not None]
    return found + ([Annotation("return", node.returns)] if node.returns is not None else [])


def _of_block(statements: list[Any], *, is_conditional: bool) -> Iterator[tuple[ast.AnnAssign, bool]]:
    for node in statements:
        if isinstance(node, ast.AnnAssign) and node.simple:
            yield node, is_conditional
        elif not isinstance(node, DEFINITIONS):
            for name in BLOCKS:
                yield from _of_block(getattr(node, name, []), is_conditional=True)


def _numbered(found: Iterator[tuple[Any, bool]]) -> Iterator[Annotation]:
    number = 0
    for node, is_conditional in found:
        yield Annotation(node.target.id, node.annotation, number if is_conditional else None)
        number += is_conditional
