"""What the text of a module does not mention need not be looked for in its tree: that is much faster to find out."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

SUSPENDING = (b"async", b"await", b"yield")  # nothing suspends without one of these words


class Text:
    """A source; None, or one that names its encoding, may say anything."""

    def __init__(self, source: bytes | None) -> None:
        lines = source.splitlines() if source is not None else []
        if source is None or any(b"coding" in line for line in lines[:2]):
            self._source: bytes | None = None
        else:
            self._source = source
            self._suspending = [i for i, line in enumerate(lines, 1) if any(word in line for word in SUSPENDING)]

    def may_say(self, word: str) -> bool:
        """Whether a word may be in it."""
        return self._source is None or word.encode() in self._source

    def may_suspend(self, node: Any) -> bool:
        """Whether a word that suspends, or makes a function that can be, may be in the lines of a node."""
        if self._source is None:
            return True
        at = bisect_left(self._suspending, node.lineno)
        return at < len(self._suspending) and self._suspending[at] <= node.end_lineno
