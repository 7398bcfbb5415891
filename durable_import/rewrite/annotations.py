"""The annotations of definitions: which there are, and code that evaluates them as an earlier or a later Python would.

Until Python 3.13 they are evaluated where the definition is; since then in a function of the compiler's own, when somebody asks
for them. Its code belongs to the definition, and has a place of its own.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ANNOTATE = ".<annotate>"  # what the place of a definition becomes for what evaluates its annotations
BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


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
