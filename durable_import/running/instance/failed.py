"""An instance that has failed: from where it can be tried again, what ran after the failure, and how it goes on from before."""

from __future__ import annotations

from typing import Any, NamedTuple

from ...aio.loop import InstanceLoop
from ...aio.unwinding import MOST_STEPS, Unwinding
from ...snapshot.payload import GAPS
from ...snapshot.sealing.seal import Seal
from ...snapshot.sealing.segment_seal import SegmentSeal
from ...snapshot.sealing.way_out import StateBefore
from ...stores.store import Kept
from .records import Records, WayTaken


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


def way_taken(loop: InstanceLoop, *, has_before: bool) -> WayTaken:
    """Of the exception by which an instance ends now; ``has_before``: its last commit has the state before one."""
    unwinding = loop.unwinding
    if unwinding is None:
        return WayTaken()
    concerns = unwinding.concerns_the_end()
    return WayTaken(unwinding.steps if concerns or unwinding.is_over else (), concerns and has_before)


def skip_keys(loop: InstanceLoop, facts: dict[str, Any], way: WayTaken) -> None:
    """Give the keys of the calls that were made on a way out to no others, now that an instance goes on from before."""
    if way.steps:
        loop.skips_keys(None if len(way.steps) >= MOST_STEPS else {step.task for step in way.steps})
        facts[GAPS] = loop.gaps


def restore_way_out(loop: InstanceLoop, facts: dict[str, Any], way: WayTaken, before: StateBefore | None) -> None:
    """Let an instance that was restored know of calls that were made on a way out, and of an exception that is on its way:
    ``before`` is then what is kept."""
    loop.gaps = facts.get(GAPS)
    skip_keys(loop, facts, way)
    if before is not None:
        loop.unwinding = Unwinding(before.steps, is_kept=True)
        loop.unwinding.is_restored(loop.tasks)
