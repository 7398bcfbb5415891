"""Where in the text of its function a frame waits."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ..pythons.codes import silent
from ..rewrite.analysis.node_paths import NodePaths
from ..rewrite.analysis.places import Places, digests


@dataclass(frozen=True)
class FunctionText:
    """The source of a function as it was imported. ``first_line``: the number that its first line has in ``file``, 0 if that is
    not known."""

    text: str
    file: str = ""
    first_line: int = 0


@dataclass(frozen=True)
class Line:
    """``number``: in its file, 0 if that is not known; ``within``: in the text of the function, from 1 on."""

    number: int
    within: int
    text: str


def line_at(digest: str, path: str, function: FunctionText, others: Iterable[FunctionText] = ()) -> Line | None:
    """The line where the node at a path begins; None if no text has the function of that digest.

    ``others``: texts that may have it inside, where what was kept of itself is no whole statement, as of a comprehension.
    """
    for each in (function, *others):
        node = _nodes(each.text, digest).get(path)
        if node is not None:
            return _line(each, next((inner.lineno for inner in ast.walk(node) if hasattr(inner, "lineno")), 0))
    return None


def nodes_of(digest: str, texts: Mapping[str, FunctionText]) -> dict[str, Any]:
    """The nodes of the function of a digest by path, from the texts that there are; none if it is in none of them."""
    own = texts.get(digest)
    for each in (*([own] if own is not None else []), *texts.values()):
        found = _nodes(each.text, digest)
        if found:
            return found
    return {}


def _line(function: FunctionText, number: int) -> Line | None:
    lines = function.text.splitlines()
    within = number - (1 if _is_indented(function.text) else 0)
    if not 0 < within <= len(lines):
        return None
    return Line(function.first_line + within - 1 if function.first_line else 0, within, lines[within - 1].strip())


def _nodes(text: str, digest: str) -> dict[str, Any]:
    node = _functions(text).get(digest)
    return NodePaths(node).by_path() if node is not None else {}


@lru_cache(maxsize=256)
def _functions(text: str) -> dict[str, ast.AST]:
    """The functions in a text, by digest; none if it is no whole statement."""
    try:
        with silent():
            places = Places(ast.parse(f"if True:\n{text}" if _is_indented(text) else text))
        return {digest: node for node, digest in reversed(digests(places.order).items())}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


def _is_indented(text: str) -> bool:
    return text[:1] in (" ", "\t")
