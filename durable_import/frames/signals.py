"""Signals that unwind frames without ending them. Private: programs never see them."""

from __future__ import annotations


class Suspension(BaseException):
    """Thrown into a frame to drop it: rewritten ``except`` and ``finally`` blocks let it pass."""
