"""Values that are not shown to who looks over a shoulder: those whose name says that they are secrets."""

from __future__ import annotations

import re
from typing import Any

HIDDEN = "•••"
_NAME = re.compile(
    r"passw|passphrase|(?<![a-z])pwd|secret|token(?!s|iz)|api[-_]?key|access[-_]?key|private[-_]?key|credential|cookie"
    r"|authorization|(?<![a-z])auth(?![a-z])",
    re.IGNORECASE,
)
_SHORTEST = 4  # characters of a text that is known again elsewhere


def is_secret(name: str) -> bool:
    """Whether a name, or the last step to a part (``.token``, ``['api_key']``), is that of a secret."""
    return _NAME.search(name) is not None


class Mask:
    """Hides values of secret names, and texts that were met under one wherever else they stand. Nothing that is None, true or
    false is hidden."""

    def __init__(self) -> None:
        self._texts: set[str | bytes] = set()

    def hides(self, name: str, node: Any) -> bool:
        """Whether a resolved value of this name is hidden; a text is then hidden everywhere."""
        if not is_secret(name) or node is None or type(node) is bool:
            return False
        if isinstance(node, str | bytes) and len(node) >= _SHORTEST:
            self._texts.add(node)
        return True

    def text_without(self, text: str) -> str:
        """A text, as a line of source, in which texts that are hidden do not stand."""
        for hidden in sorted(self._texts, key=len, reverse=True):
            text = text.replace(hidden if isinstance(hidden, str) else repr(hidden)[2:-1], HIDDEN)
        return text

    def is_known(self, node: Any) -> bool:
        """Whether a resolved value is a text that is hidden."""
        return isinstance(node, str | bytes) and node in self._texts
