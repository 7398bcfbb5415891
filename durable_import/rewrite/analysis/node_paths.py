"""Where in a function a node stands: the path of fields that leads to it in the tree as parsed, such as ``body.2.value``.

A path says the same in every version of Python, and whatever the passes make of the node: parts of f-strings are counted without
the texts between them, which some versions join. A node that a pass makes in the place of another says so: ``standing_for``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any, TypeVar

from .suspensions import FUNCTION_DEFINITIONS, NO_NODES

OF_OTHER_FRAMES = (*FUNCTION_DEFINITIONS, ast.Lambda, ast.ClassDef)  # their bodies are

Node = TypeVar("Node", bound=ast.AST)


def standing_for(new: Node, old: ast.AST) -> Node:
    """A node that a pass has made, marked as one that is where ``old`` is."""
    new.stands_for = old  # type: ignore[attr-defined]
    return new


class NodePaths:
    """The paths of the nodes that a function-like node evaluates in its own frame; its own is empty."""

    def __init__(self, function: Any) -> None:
        self._known: dict[ast.AST, str] = {function: ""}
        for step, node in _steps(function, ("body",) if isinstance(function, OF_OTHER_FRAMES) else function._fields):
            self._walk(node, step)

    def _walk(self, node: Any, path: str) -> None:
        self._known[node] = path
        fields = [name for name in node._fields if name != "body"] if isinstance(node, OF_OTHER_FRAMES) else node._fields
        for step, child in _steps(node, fields):
            self._walk(child, f"{path}.{step}")

    def by_path(self) -> dict[str, Any]:
        """The nodes by path."""
        return {path: node for node, path in self._known.items()}

    def of(self, node: Any) -> str:
        """The path of a node, or of the one that it stands for."""
        while node not in self._known:
            node = node.stands_for
        return self._known[node]


def _steps(node: ast.AST, fields: Any) -> Iterator[tuple[str, Any]]:
    """The nodes directly inside of one, each with the step that leads to it."""
    for name in fields:
        if name in NO_NODES:
            continue
        value = getattr(node, name, None)
        if isinstance(value, list):
            if type(node).__name__ in ("JoinedStr", "TemplateStr"):
                value = [part for part in value if not isinstance(part, ast.Constant)]
            yield from ((f"{name}.{i}", part) for i, part in enumerate(value) if isinstance(part, ast.AST))
        elif isinstance(value, ast.AST):
            yield name, value
