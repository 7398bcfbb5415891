"""Rewritten code as text, for people to read."""

from __future__ import annotations

import ast

from ..errors import DurableError
from ..rewrite.compiler import ModuleRewriting
from ..rewrite.emit.resume import resume_function


def rewritten_text(source: bytes, file: str, place: str | None = None) -> str:
    """What the rewriter makes of a module; with ``place``, such as ``Shop.order``, the resume variant of that function.

    Raises SyntaxError for what cannot be compiled or rewritten, and DurableError when there is no such function.
    """
    rewriting = ModuleRewriting(source, file)
    return text_of(rewriting.tree if place is None else _resume_tree(rewriting, file, place))


def text_of(tree: ast.AST) -> str:
    """A rewritten tree as source text; the tree given is used up.

    ``ast.unparse`` alone writes what a field of a template string says of itself, which is what was there to be awaited.
    """
    for node in ast.walk(tree):
        if hasattr(node, "says_another"):
            node.str = None  # type: ignore[attr-defined]
    return ast.unparse(tree)


def _resume_tree(rewriting: ModuleRewriting, file: str, place: str) -> ast.AST:
    node = rewriting.places.by_path.get(place)
    body = rewriting.body_of(node) if node is not None else None
    if body is None or node is None:
        suspending = ", ".join(path for path, n in rewriting.places.by_path.items() if rewriting.body_of(n) is not None)
        raise DurableError(f"{file} has no function {place!r} that can be suspended; it has: {suspending}")
    return resume_function(
        rewriting.carrier.get(node, node),
        body,
        variables=[],
        captured=[],
        free=(),
        class_name=rewriting.places.class_of[node],
    )
