"""``show-rewritten``: what the rewriter makes of a file."""

from __future__ import annotations

from pathlib import Path

from .. import DurableError
from ..api.rewritten_text import rewritten_text
from .speech import USAGE, print_document, say


def show_rewritten(file: str, place: str | None, *, as_json: bool = False) -> int:
    """Print the rewritten module, or the resume variant of one function, as it is or in one document; gives the exit status."""
    try:
        text = rewritten_text(Path(file).read_bytes(), file, place)
    except (OSError, SyntaxError, DurableError) as error:
        say(str(error))
        return USAGE
    if as_json:
        print_document({"file": file, "function": place, "text": text})
    else:
        print(text)
    return 0
