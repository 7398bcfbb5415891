"""Pass 1, statements: which temporaries live across each suspension of a statement.

Assumes: the normalised form of one statement. Guarantees: each ``Suspend`` in it lists the temporaries read after it.
"""

from __future__ import annotations

import ast
from typing import Any

from ..analysis.names import load
from ..analysis.suspensions import Suspend, evaluated_here
from .lift import Statements


def mark_temporaries(statements: Statements) -> None:
    """Add to each suspension the temporaries that are read after it: those in use around it in linear order."""
    events: list[tuple[str, str, Any]] = []
    for statement in statements:
        _events(statement, events)
    last_use = {name: i for i, (kind, name, _) in enumerate(events) if kind == "use"}
    defined: set[str] = set()
    for i, (kind, name, point) in enumerate(events):
        if kind == "def":
            defined.add(name)
        elif kind == "point":
            point.live.update(n for n in defined if last_use.get(n, -1) > i)


def _events(node: ast.AST, events: list[tuple[str, str, Any]]) -> None:
    """Definitions and uses of temporaries, and suspensions, in order of execution."""
    if isinstance(node, ast.Name):
        if node.id.startswith("@t"):
            events.append(("def" if isinstance(node.ctx, ast.Store) else "use", node.id, None))
        return
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        _events(node.value, events)
        for target in getattr(node, "targets", None) or [node.target]:  # type: ignore[union-attr]
            if isinstance(node, ast.AugAssign) and isinstance(target, ast.Name):
                _events(load(target.id), events)
            _events(target, events)
        return
    if isinstance(node, Suspend):
        if node.operand is not None:
            _events(node.operand, events)
        events.append(("point", "", node))
        if node.target is not None:
            _events(node.target, events)
        return
    for child in evaluated_here(node):
        _events(child, events)
