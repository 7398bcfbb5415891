"""``show-rewritten``: what the rewriter makes of a file."""

from __future__ import annotations

from pathlib import Path

from .. import DurableError
from ..api.rewritten_text import rewritten_text
from .speech import USAGE, say


def show_rewritten(file: str, place: str | None) -> int:
    """Print the rewritten module, or the resume variant of one function; gives the exit status."""
    try:
        text = rewritten_text(Path(file).read_bytes(), file, place)
    except (OSError, SyntaxError, DurableError) as error:
        say(str(error))
        return USAGE
    print(text)
    return 0
