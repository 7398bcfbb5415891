"""Pass 1: what the hidden variables of a function are called, and what says in every version what each of them is.

Their names are numbered as they are needed, and so are labels: another version of the rewriter may do that otherwise. What stays
is the *role* of a variable, and the path of the node that it serves: the two together are unique in a function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from ..analysis.names import KEY, RESULT
from ..analysis.node_paths import NodePaths
from ..analysis.suspensions import LISTS, Hidden

# How names begin, by role. Snapshots of payload format 4 name variables by these and their numbers: they stay as they are.
PREFIXES = {
    "operand": "t",  # the value of an expression
    "iterator": "i",
    "advance": "x",  # what gives the next step of an asynchronous iterator
    "going": "w",  # whether a loop goes on
    "item": "n",  # what a loop or an unpacking has taken and not bound yet
    "manager": "m",
    "leave": "x",  # the exit method of a manager
    "argument": "p",  # what the call that makes a manager is made of: the function, its arguments
    "entered": "v",  # the enter method, then what it gave
    "normal": "z",  # whether the block was not left by an exception
    "swallowed": "y",  # what the exit method said of an exception
    "outcome": "o",  # the way out that waits for a ``finally`` block
    "exception": "e",
    "group": "c",  # how far ``except*`` has got with its exception group; in a chain of handlers, the exception
    "subject": "j",
    "matched": "q",
}


class HiddenNames:
    """The hidden variables of one function-like node; ``paths``: those of its nodes, if it does not stand as it was parsed."""

    def __init__(self, function: Any, paths: NodePaths | None = None) -> None:
        self.function = function
        self._paths = paths or NodePaths(function)
        self._number = 0
        self._meant: dict[str, tuple[str, ast.AST]] = {}
        if isinstance(function, LISTS):
            self.mean(RESULT, "result", function)
            self.mean(KEY, "key", function)

    def hide(self, role: str, node: ast.AST) -> str:
        """A name of its own for the variable that has a role for a node."""
        return self.hide_all(node, role)[0]

    def hide_all(self, node: ast.AST, *roles: str) -> list[str]:
        """Names for all variables that serve a node, with one number."""
        self._number += 1
        return [self.mean(self.name(role, self._number), role, node) for role in roles]

    def temporary(self, number: int, role: str, node: ast.AST) -> str:
        """One for a variable that lives within a statement: those of the next statement have the same numbers."""
        return self.mean(self.name("operand", number), role, node)

    def argument(self, number: int, node: ast.AST) -> str:
        """One for a part of the call that makes a manager: it lives until that is entered, and those of the next are the same."""
        return self.mean(self.name("argument", number), "argument", node)

    def mean(self, name: str, role: str, node: ast.AST) -> str:
        """From here on a name is that of the variable that has a role for a node."""
        self._meant[name] = role, node
        return name

    def name(self, role: str, number: int) -> str:
        """The name of the variable with a number."""
        return f"@{PREFIXES[role]}{number}"

    def path(self, node: ast.AST) -> str:
        """Where a node stands in the function as it was written."""
        return self._paths.of(node)

    def of(self, names: Iterable[str]) -> dict[str, Hidden]:
        """What some names mean here: each with its role and the path of its node."""
        found = ((name, *self._meant[name]) for name in names)
        return {name: (name, role, self._paths.of(node)) for name, role, node in found}
