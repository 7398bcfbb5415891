"""What a module-level name is bound to by the text of a module."""

from __future__ import annotations

import ast
from typing import Any

from .pinning import FUNCTIONS
from .renames import new_module, new_place, said

SUITES = ("body", "handlers", "orelse", "finalbody")


def with_new_names(node: ast.Import | ast.ImportFrom) -> list[ast.stmt]:
    """An import of then, as it is written today: a statement for each name, which binds what it did."""
    if not said() or (isinstance(node, ast.ImportFrom) and node.level):
        return [node]
    made: list[ast.stmt] = []
    for alias in node.names:
        if isinstance(node, ast.Import):
            today = new_module(alias.name)
            bound = alias.asname or (alias.name if today != alias.name and "." not in alias.name else None)
            made.append(ast.Import([ast.alias(today, bound)]))
        else:
            inner, bound = f"{node.module}.{alias.name}", alias.asname or alias.name
            module, name = new_place(node.module or "", alias.name)
            if inner in said():  # a module of a package
                made.append(ast.Import([ast.alias(new_module(inner), bound)]))
            else:
                made.append(ast.ImportFrom(new_module(module), [ast.alias(name, bound if name != "*" else None)], 0))
    return [ast.fix_missing_locations(ast.copy_location(each, node)) for each in made]


def bindings(body: list[Any], name: str) -> Any:
    """The statements that bind a name, or the values that they bind to it, last first."""
    for node in reversed(body):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and node.name == name:
            yield node
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            if any((each.asname or each.name.partition(".")[0]) == name for each in node.names):
                yield node
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if node.value is not None and any(isinstance(each, ast.Name) and each.id == name for each in targets):
                yield node.value
        for suite in SUITES if not isinstance(node, (*FUNCTIONS, ast.ClassDef)) else ():
            yield from bindings(getattr(node, suite, []), name)
