"""States of instances as flat dicts, which is what the stores that users implement keep."""

from __future__ import annotations

from typing import Any

from durable_import.errors import SnapshotAuthenticationError
from durable_import.stores.base import check_state
from durable_import.stores.state import InstanceState
from durable_import.stores.store import Kept


def to_dict(state: InstanceState, call: bytes) -> dict[str, Any]:
    """See ``base.STATE_TYPES``; in that order."""
    return {
        "status": state.status,
        "checkpoint": state.checkpoint,
        "location": state.location,
        "function": state.function,
        "wake_at": state.wake_at,
        "call": call,
        "snapshot": state.snapshot,
        "outcome": state.outcome,
    }


def to_kept(kept: dict[str, Any]) -> Kept:
    """The opposite, of what is a state."""
    state = InstanceState(
        kept["status"], kept["checkpoint"], kept["location"], kept["function"], kept["wake_at"], kept["snapshot"], kept["outcome"]
    )
    return Kept(state, kept["call"])


def from_dict(instance_id: str, kept: dict[str, Any]) -> Kept:
    """The same. Raises SnapshotAuthenticationError for what is no state."""
    try:
        check_state(kept)
    except TypeError as error:
        raise SnapshotAuthenticationError(
            f"the saved state of instance {instance_id!r} looks tampered with: {error}. It was left as it is. Put a copy "
            "back, or start the instance afresh."
        ) from None
    return to_kept(kept)
