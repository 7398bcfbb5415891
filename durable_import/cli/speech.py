"""How commands speak: on stderr, and by their exit status."""

from __future__ import annotations

import sys

USAGE, OURS, SUSPENDED = 2, 70, 75  # exit statuses: wrong usage, an error of durable_import, left to wait


def say(text: str) -> None:
    """One line on stderr."""
    print(f"durable_import: {text}", file=sys.stderr, flush=True)
