"""Pass 0, pauses: ``raise PauseForEventException(...)`` in an asynchronous function becomes a suspension.

Assumes: a tree as parsed. Guarantees: each such statement is a ``Pause``, in place of the ``ast.Raise`` that it was; nothing
else has changed. A pause is recognised by its last name: ``raise E``, also with ``from``, where E is a name, an attribute or a
call of one that ends in ``PauseForEventException``, in a name that the module gives it or a call of it (by ``import ... as`` or
an assignment), or in the name of a class of the module that derives from one of these. Whether the value is such an exception,
and whether there is an instance to be suspended, is asked when the statement runs: ``@pauses``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from ..analysis.suspensions import Pause

EXCEPTION = "PauseForEventException"


def mark_pauses(tree: ast.AST) -> None:
    """Replace the statements that pause, in place."""
    names = pause_names(tree)
    if names:
        _Marking(names).visit(tree)


def pause_names(tree: ast.AST) -> set[str]:
    """The names under which a module may mean the exception, or classes of its own that derive from it."""
    meanings = list(_meanings(tree))
    names = {EXCEPTION} if any(_mentions(node) for node in ast.walk(tree)) else set()
    while more := {name for name, sources in meanings if names.intersection(sources)} - names:
        names |= more
    return names


def _mentions(node: ast.AST) -> bool:
    return EXCEPTION in (getattr(node, "id", ""), getattr(node, "attr", ""), getattr(node, "name", ""))


def _meanings(tree: ast.AST) -> Iterator[tuple[str, list[str | None]]]:
    """Names that a module binds, with the last names of what they may be made of."""
    for node in ast.walk(tree):
        if isinstance(node, ast.alias) and node.asname:
            yield node.asname, [node.name.rpartition(".")[2]]
        elif isinstance(node, ast.ClassDef):
            yield node.name, [last_name(base) for base in node.bases]
        elif isinstance(node, ast.Assign):
            yield from ((t.id, [last_name(node.value)]) for t in node.targets if isinstance(t, ast.Name))


def last_name(node: ast.expr | None) -> str | None:
    """``c`` of ``a.b.c``, with or without a call or a subscript; None for other expressions."""
    if isinstance(node, ast.Call):
        return last_name(node.func)
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


class _Marking(ast.NodeTransformer):
    def __init__(self, names: set[str]) -> None:
        self.names = names
        self.is_asynchronous = False

    def _visit_definition(self, node: Any) -> Any:
        outer, self.is_asynchronous = self.is_asynchronous, isinstance(node, ast.AsyncFunctionDef)
        self.generic_visit(node)
        self.is_asynchronous = outer
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _visit_definition

    def visit_Raise(self, node: ast.Raise) -> ast.stmt:
        if not self.is_asynchronous or last_name(node.exc) not in self.names:
            return node
        return ast.copy_location(Pause(exc=node.exc, cause=node.cause), node)
