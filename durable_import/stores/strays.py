"""Instances that the database says are owned by this process, and that nobody here knows of.

Such are there when an answer was lost, or the waiting for it was given up, and the instance was begun; and when a database has
gone back to before its end. Nobody would run them as long as this process lives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from durable_import.errors import DurableError, StateLostError, StoreError


class Strays:
    """``may_be``: something has happened after which there may be some."""

    def __init__(self) -> None:
        self.may_be = False
        self._taking: Counter[int] = Counter()  # epochs of what is being taken up
        self._connected = False

    @contextmanager
    def taking(self, epoch: int) -> Iterator[None]:
        """While something is taken up with this epoch; if that fails, it may have been taken."""
        self._taking[epoch] += 1
        try:
            yield
        except BaseException as error:
            is_refused = isinstance(error, DurableError) and not isinstance(error, StoreError)
            self.may_be = self.may_be or not is_refused
            raise
        finally:
            self._taking[epoch] -= 1
            if not self._taking[epoch]:
                del self._taking[epoch]

    @contextmanager
    def after_loss(self) -> Iterator[None]:
        """If it turns out that the database has gone back."""
        try:
            yield
        except StateLostError:
            self.may_be = True
            raise

    def is_taken_up(self, epoch: int) -> bool:
        """Whether an answer is still to come."""
        return epoch in self._taking

    def connects(self) -> None:
        """There is a new connection to the database: it may be another one, if this was not the first."""
        self.may_be = self.may_be or self._connected
        self._connected = True
