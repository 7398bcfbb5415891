"""``explain``: the checkpoints of all async functions of a file, which is not imported."""

from __future__ import annotations

from ..api.explained_file import explained_file
from .speech import USAGE, say


def explain_file(file: str) -> int:
    """Print what each function has; gives the exit status."""
    try:
        explanations = explained_file(file)
    except (OSError, SyntaxError) as error:
        say(str(error))
        return USAGE
    if not explanations:
        say(f"{file} has no async functions")
    print("\n\n".join(map(str, explanations)))
    return 0
