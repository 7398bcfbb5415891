"""Pass 1, statements: which temporaries live across each suspension of a statement.

Assumes: the normalised form of one statement. Guarantees: each ``Suspend`` in it lists the temporaries that may be read after it
before they are bound again: these are bound whenever the suspension is reached.
"""

from __future__ import annotations

import ast
from collections.abc import Set
from typing import Any

from ..analysis.names import KEY
from ..analysis.suspensions import Suspend, evaluated_here
from .hidden_names import HiddenNames
from .lift import Statements


def mark_temporaries(statements: Statements, temporaries: Set[str], names: HiddenNames) -> None:
    """Add to each suspension those of the ``temporaries`` that live across it."""
    _Liveness({*temporaries, KEY}, names).before(statements, set())


class _Liveness:
    """Goes backwards through statements; what is asked of each is what lives before it, given what lives after it."""

    def __init__(self, temporaries: set[str], names: HiddenNames) -> None:
        self.temporaries = temporaries
        self.names = names

    def before(self, statements: Statements, live: set[str]) -> set[str]:
        """What lives before a block."""
        for statement in reversed(statements):
            live = self._before(statement, live)
        return live

    def _before(self, node: Any, live: set[str]) -> set[str]:
        if isinstance(node, Suspend):
            live = self._bound(live, [] if node.target is None else [node.target])
            node.live.update(self.names.of(live))
            return live | self._read(node.operand)
        if isinstance(node, ast.If):
            return self._read(node.test) | self.before(node.body, live) | self.before(node.orelse, live)
        if isinstance(node, ast.Assign):
            return self._bound(live, node.targets) | self._read(node.value)
        if isinstance(node, (ast.Return, ast.Raise)):
            live = set()
        return live | self._read(node)

    def _bound(self, live: set[str], targets: list[ast.expr]) -> set[str]:
        """What lives before targets are bound."""
        stored = {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name) and _is_store(n)}
        return (live - stored) | {name for target in targets for name in self._read(target)}

    def _read(self, node: ast.AST | None) -> set[str]:
        """The temporaries that are read in the frame of a node."""
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            return self._read(node.value) | ({node.target.id} & self.temporaries)
        if isinstance(node, ast.Name):
            return set() if _is_store(node) else {node.id} & self.temporaries
        return set().union(*map(self._read, evaluated_here(node))) if node is not None else set()


def _is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)
