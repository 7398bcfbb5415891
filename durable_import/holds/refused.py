"""The error of an object that cannot be saved, where it is known what to do about it."""

from __future__ import annotations

from pickle import PicklingError


class Refused(PicklingError):
    """What cannot be saved, with advice of its own."""

    def __init__(self, reason: str, way_out: str) -> None:
        super().__init__(reason)
        self.way_out = way_out
