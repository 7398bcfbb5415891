"""What one reading of a snapshot knows of code that has changed since: the kept texts, and what has moved."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class KeptTexts:
    """``by_digest``: the texts of functions as they were, as far as they were asked for and are kept.

    ``moved``: by module and place, sentences that say which functions of today frames go on in; for who tells the user.
    """

    by_digest: dict[str, str] = field(default_factory=dict)
    moved: dict[tuple[str, str], str] = field(default_factory=dict)
