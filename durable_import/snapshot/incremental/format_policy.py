"""Which form the next snapshot takes, whole or in segments: the one that has cost less lately.

Costs are counted in bytes that are pickled, so that equal runs choose alike. Where few tasks run between two checkpoints,
segments cost a fraction of a whole snapshot; where most of them do, several times as much; and so does going over to them.
So a form is kept until it has cost more than the other would have, by as much as some whole snapshots cost (the rule of
Borodin, Linial and Saks, "An optimal on-line algorithm for metrical task system", 1992): no program pays much more than the
better form for it would cost. A program for which segments did not pay has to ask for them longer the next time.
"""

from __future__ import annotations

PATIENCE = 4.0  # whole snapshots: so much more a form may cost than the other
MOST_PATIENCE = 64.0
_BEGINNING = 16.0  # whole snapshots: so much it may cost to go over to segments
_WEIGHT = 1.5  # a byte of a segment costs so much more than one of a whole snapshot
_BLOAT = 2.0  # segments hold so many times the bytes of a whole snapshot, until it is known


class FormatPolicy:
    """Chooses for one instance. ``least``: how many tasks it has to have for segments."""

    __slots__ = ("_bloat", "_gain", "_patience", "_regret", "_whole", "is_in_segments", "least")

    def __init__(self, least: int) -> None:
        self.least = least
        self.is_in_segments = False
        self._regret = 0.0  # bytes that the form has cost more than the other would have
        self._gain = 0.0  # bytes that segments have cost less than whole snapshots, since they were chosen
        self._patience = PATIENCE
        self._whole = 0.0  # bytes of a whole snapshot
        self._bloat = _BLOAT

    def wants_segments(self) -> bool:
        """Whether the next snapshot is to be in segments."""
        return self.is_in_segments

    def allowance(self, *, is_first: bool) -> float:
        """How many bytes may be pickled for a snapshot in segments; ``is_first``: all of them are new."""
        if is_first:
            return _BEGINNING * self._whole / _WEIGHT if self._whole else float("inf")
        return ((PATIENCE + 1) * self._whole - self._regret) / _WEIGHT

    def was_whole(self, size: int, changed: float) -> None:
        """A whole snapshot was made, of ``size`` bytes, in which so much (0 to 1) has changed since the last one."""
        self._whole = size
        segments = changed * size * self._bloat * _WEIGHT
        self._regret = max(self._regret + size - segments, 0.0)
        if self._regret > self._patience * size:
            self.choose(in_segments=True)

    def was_in_segments(self, pickled: int, size: int, *, is_first: bool) -> None:
        """A snapshot in segments was made: ``pickled`` bytes; all of them together have ``size``."""
        if is_first and self._whole:
            self._bloat = size / self._whole
        self._whole = size / self._bloat
        gain = self._whole - pickled * _WEIGHT
        self._gain += gain
        if not is_first:
            self._regret = max(self._regret - gain, 0.0)
        if self._regret > PATIENCE * self._whole:
            self.give_up()

    def give_up(self) -> None:
        """Segments cost too much, or are not possible."""
        has_paid = self._gain > 0
        self._patience = max(self._patience / 2, PATIENCE) if has_paid else min(self._patience * 2, MOST_PATIENCE)
        self.choose(in_segments=False)

    def choose(self, *, in_segments: bool) -> None:
        """Begin with a form."""
        self.is_in_segments = in_segments
        self._regret = self._gain = 0.0
