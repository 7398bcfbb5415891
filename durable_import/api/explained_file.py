"""What in a file is a checkpoint: read, not imported."""

from __future__ import annotations

from pathlib import Path

from ..explanation.points import Explanation, explain_source


def explained_file(file: str) -> list[Explanation]:
    """The explanations of all async functions of a file, in the order of its text. Raises OSError and SyntaxError."""
    return explain_source(Path(file).read_bytes(), file)
