"""An instance that has failed, as it is in a store: from where it can be tried again, and what ran after the failure."""

from __future__ import annotations

from typing import NamedTuple

from ...snapshot.sealing.seal import Seal
from ...snapshot.sealing.segment_seal import SegmentSeal
from ...stores.store import Kept
from .records import Records


class Failed(NamedTuple):
    """``checkpoint`` and ``location``: from where it is tried again; ``steps``: see ``RanAfterFailureError``."""

    checkpoint: int
    location: str
    steps: tuple[str, ...]

    @property
    def place(self) -> str:
        """The file and line."""
        return self.location.rpartition(" ")[0]


def look_at_failure(kept: Kept, seal: Seal, instance_id: str) -> Failed:
    """What is kept of an instance that has failed. Raises SnapshotAuthenticationError."""
    state = Records(seal, instance_id).check_state(kept.state)
    way = Records(seal, instance_id).way_taken(state.outcome)
    before = SegmentSeal(seal, instance_id).before_in(state.snapshot) if way.has_before else None
    checkpoint, location = (before or state).checkpoint, (before or state).location
    return Failed(checkpoint, location, way.told())
