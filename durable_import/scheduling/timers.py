"""Timers of an instance."""

from __future__ import annotations

import asyncio
from typing import Any

_TimerHandle: Any = asyncio.TimerHandle


class Timer(_TimerHandle):  # type: ignore[misc]
    """A timer of an instance; of those for the same moment, the one that was made first fires first."""

    __slots__ = ("place",)

    def __lt__(self, other: Any) -> bool:
        mine: tuple[float, int] = (self._when, self.place)
        return mine < (other._when, other.place)
