"""``show-rewritten``: what the rewriter makes of a file."""

from __future__ import annotations

import sys
from pathlib import Path

from ..compat.transformer import text_of
from ..errors import DurableError
from ..rewrite.compiler import ModuleRewriting
from ..rewrite.emit.resume import resume_function


def show_rewritten(file: str, place: str | None) -> int:
    """Print the rewritten module, or the resume variant of one function; gives the exit status."""
    try:
        source = Path(file).read_bytes()
        rewriting = ModuleRewriting(source, file)
    except (OSError, SyntaxError, DurableError) as error:
        print(f"durable_import: {error}", file=sys.stderr)
        return 2
    if place is None:
        print(text_of(rewriting.tree))
        return 0
    node = rewriting.places.by_path.get(place)
    body = rewriting.body_of(node) if node is not None else None
    if body is None or node is None:
        suspending = ", ".join(path for path, n in rewriting.places.by_path.items() if rewriting.body_of(n) is not None)
        print(f"durable_import: {file} has no function {place!r} that can be suspended; it has: {suspending}", file=sys.stderr)
        return 2
    tree = resume_function(
        rewriting.carrier.get(node, node), body, variables=[], captured=[], free=(),
        class_name=rewriting.places.class_of[node],
    )  # fmt: skip
    print(text_of(tree))
    return 0
