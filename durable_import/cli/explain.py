"""``explain``: the checkpoints of all async functions of a file, which is not imported."""

from __future__ import annotations

import sys
from pathlib import Path

from ..explanation.points import explain_source


def explain_file(file: str) -> int:
    """Print what each function has; gives the exit status."""
    try:
        explanations = explain_source(Path(file).read_bytes(), file)
    except (OSError, SyntaxError) as error:
        print(f"durable_import: {error}", file=sys.stderr)
        return 2
    if not explanations:
        print(f"durable_import: {file} has no async functions", file=sys.stderr)
    print("\n\n".join(map(str, explanations)))
    return 0
