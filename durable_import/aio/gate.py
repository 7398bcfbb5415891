"""Where steps wait when it is not certain that this process may still let them begin."""

from __future__ import annotations

import math


class Gate:
    """Open until ``closes_at``, by ``pythons.systems.passing``."""

    __slots__ = ("closes_at",)

    def __init__(self, closes_at: float = math.inf) -> None:
        self.closes_at = closes_at

    async def opens(self) -> None:
        """Return when it is open; raise what keeps it shut for ever."""


OPEN = Gate()
