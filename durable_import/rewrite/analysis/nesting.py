"""How deeply blocks are nested: CPython allows 20 in a function, and says it late (3.12.1 crashes at some of them)."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from ...errors import UnsupportedSyntaxError
from ...pythons.codes import silent
from ...pythons.versions import COMPREHENSION_BLOCKS, INLINES_COMPREHENSIONS, MAX_BLOCKS
from .scopes import element_parts
from .suspensions import LISTS

CPYTHON_MAXIMUM = 20  # CO_MAXBLOCKS
MOST_BLOCKS_OF_ONE = 3  # that a statement needs when it is rewritten: a ``with`` item that is left by jumps
OWN_FRAMES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def check_nesting(tree: ast.Module, source: bytes, path: str, deepest: int) -> None:
    """Refuse a module whose rewritten ``tree`` has too many blocks in each other.

    They are those of the resume variants too: these have the same ``try`` statements and loops, and more only of ``if``.
    ``deepest``: the most blocks that one of its comprehensions takes. Raises ``UnsupportedSyntaxError``, or the compiler's
    error if ``source`` has too many as it is.
    """
    node = too_deep(tree.body, deepest=deepest)
    if node is None:
        return
    with silent():
        if too_deep(ast.parse(source, path).body, maximum=CPYTHON_MAXIMUM, deepest=deepest) is not None:
            compile(source, path, "exec", dont_inherit=True)
    raise UnsupportedSyntaxError(
        f"loops, try and with statements are nested too deeply here (Python allows {MAX_BLOCKS} blocks in each other, and "
        "some statements with an await inside take one or two more than they would natively)",
        filename=path,
        lineno=node.lineno,
        way_out="Move the inner blocks into a function of their own and await that.",
    )


def too_deep(block: Iterable[Any], depth: int = 0, maximum: int = MAX_BLOCKS, deepest: int = 0) -> Any:
    """The first statement that needs more blocks than ``maximum``, within ``depth`` blocks; None if there is none.

    Expressions are looked at where the ``deepest`` of the comprehensions would be too deep.
    """
    for node in block:
        parts = [(node.body, -depth)] if isinstance(node, OWN_FRAMES) else _parts(node)
        found = node if any(depth + more > maximum for _, more in parts) else None
        if found is None and depth + MOST_BLOCKS_OF_ONE + deepest > maximum:
            needed = [more + blocks for inner, more in _expressions(node) if (blocks := _most(inner))]
            found = node if needed and depth + max(needed) > maximum else None
        found = found or next(filter(None, (too_deep(part, depth + more, maximum, deepest) for part, more in parts)), None)
        if found is not None:
            return found
    return None


def _parts(node: Any) -> list[tuple[list[Any], int]]:
    """The blocks of statements in a statement, each with how many of the compiler's blocks are around it."""
    if isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
        return [(node.body, 1), (node.orelse, 0)]
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return [(node.body, len(node.items))]
    if isinstance(node, (ast.Try, ast.TryStar)):
        final = 1 if node.finalbody else 0
        body = (node.body, final + (1 if node.handlers else 0))
        handlers = [(handler.body, final + 2) for handler in node.handlers]
        return [body, *handlers, (node.orelse, final), (node.finalbody, final)]
    if isinstance(node, ast.Match):
        return [(case.body, 0) for case in node.cases]
    return [(node.body, 0), (node.orelse, 0)] if isinstance(node, ast.If) else []


def _expressions(node: Any) -> list[tuple[list[Any], int]]:
    """The expressions of a statement itself, each with how many of its own blocks are around it."""
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return [([item], number) for number, item in enumerate(node.items)]
    if isinstance(node, (ast.Try, ast.TryStar)):
        return [([handler.type for handler in node.handlers if handler.type], 2 if node.finalbody else 1)]
    inner = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.stmt)]
    return [(inner, 1 if isinstance(node, (ast.For, ast.AsyncFor, ast.While)) else 0)]


def blocks_of_comprehension(node: Any) -> int:
    """How many blocks the parts of a comprehension are in; none of those of another function."""
    first, *others = node.generators
    loops = sum(bool(generator.is_async) for generator in node.generators) if INLINES_COMPREHENSIONS else 0
    own = COMPREHENSION_BLOCKS + loops
    return max(_most([first.iter]), own + _most([first.target, *first.ifs, *others, *element_parts(node)]))


def _most(nodes: Iterable[ast.AST]) -> int:
    """The most blocks that one of the expressions takes."""
    return max((_blocks(node) for node in nodes if not isinstance(node, ast.stmt)), default=0)


def _blocks(node: Any) -> int:
    if isinstance(node, LISTS):
        return blocks_of_comprehension(node)
    if isinstance(node, ast.Lambda):
        return _most([node.args])
    return _most([node.generators[0].iter] if isinstance(node, ast.GeneratorExp) else ast.iter_child_nodes(node))
