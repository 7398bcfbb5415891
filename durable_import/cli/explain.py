"""``explain``: the checkpoints of all async functions of a file, which is not imported."""

from __future__ import annotations

from dataclasses import asdict

from ..api.explained_file import explained_file
from .speech import USAGE, print_document, say


def explain_file(file: str, *, as_json: bool = False) -> int:
    """Print what each function has, or one array; gives the exit status."""
    try:
        explanations = explained_file(file)
    except (OSError, SyntaxError) as error:
        say(str(error))
        return USAGE
    if as_json:
        print_document([asdict(each) for each in explanations])
        return 0
    if not explanations:
        say(f"{file} has no async functions")
    print("\n\n".join(map(str, explanations)))
    return 0
