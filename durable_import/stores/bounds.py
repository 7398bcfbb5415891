"""How much of the history of an instance a store keeps."""

from __future__ import annotations

import re
from typing import NamedTuple

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
LEAST = 2  # states: the present one, and the one before
WAYS = "'true', 'false', how many states are kept (2 or more), or for how long ('90s', '30m', '12h', '7d')"


class HistoryBound(NamedTuple):
    """``most``: states of an instance, with the present one; ``seconds``: since another one has taken the place of a state. None:
    all of them."""

    most: int | None = None
    seconds: float | None = None

    def first_kept(self, checkpoint: int) -> int | None:
        """The lowest number that stays when the state of a checkpoint becomes a past one; None: all stay."""
        return checkpoint - self.most + LEAST if self.most is not None else None


def bound_of(history: bool | int | str) -> HistoryBound | None:
    """What is asked for: True, a number of states, or an age such as ``'7d'``, or these as texts; None: no history.

    Raises ValueError for anything else.
    """
    text = str(history).strip().lower()
    if text in ("true", "false"):
        return HistoryBound() if text == "true" else None
    age = _AGE.fullmatch(text)
    if age is not None and float(age[1]) > 0:
        return HistoryBound(seconds=float(age[1]) * _SECONDS[age[2]])
    if text.isdecimal() and int(text) >= LEAST:
        return HistoryBound(most=int(text))
    raise ValueError(f"history is {WAYS}, not {history!r}")
