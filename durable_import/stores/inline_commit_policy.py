"""Whether a commit may be made while an event loop waits for it, or better by the thread of the store."""

from __future__ import annotations

QUICK_SECONDS = 0.001  # of a commit that an event loop may wait for: to hand it to a thread costs it a quarter of that
QUICK_BYTES = 1 << 18  # of a state: to copy more takes too long by itself
ALONE = 3  # commits of one instance in a row, then others are not expected
_WEIGHT = 0.25  # of the last commit in the moving figure
_MOST_SECONDS = 4 * QUICK_SECONDS  # that one commit counts for: a single slow one is soon forgotten


class InlineCommitPolicy:
    """How long commits take, and whose they are.

    ``few``: instances whose commits are as good one by one; those of more are better made together, by the thread.
    """

    def __init__(self, few: int) -> None:
        self._few = few
        self._held: set[str] = set()  # instances that are owned here
        self._usual: float | None = None  # seconds
        self._last = ""
        self._in_a_row = 0

    def has_taken(self, seconds: float) -> None:
        """A commit was made, by any thread."""
        usual, seconds = self._usual, min(seconds, _MOST_SECONDS)
        self._usual = seconds if usual is None else usual + (seconds - usual) * _WEIGHT

    def comes(self, instance_id: str) -> None:
        """The thread is to make a commit of an instance."""
        self._in_a_row = self._in_a_row + 1 if instance_id == self._last else 1
        self._last = instance_id

    def is_owned(self, instance_id: str) -> None:
        """An instance is owned here from now on."""
        self._held.add(instance_id)

    def owned(self) -> list[str]:
        """Ids of those that are owned here."""
        return list(self._held)

    def is_released(self, instance_id: str) -> None:
        """It is not any more."""
        self._held.discard(instance_id)

    def is_quick(self, instance_id: str, size: int) -> bool:
        """Whether a commit of so many bytes will be quick, and as good alone."""
        if self._usual is None or self._usual > QUICK_SECONDS or size > QUICK_BYTES:
            return False
        return len(self._held) <= self._few or (self._in_a_row >= ALONE and instance_id == self._last)
