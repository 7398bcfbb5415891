"""Objects as the inert decoder sees them."""

from __future__ import annotations

from typing import Any

from durable_import.inspect.state import SavedState, read_state
from durable_import.inspect.values import Describer, Description, Limits
from durable_import.snapshot.encoder import Encoder
from durable_import.snapshot.payload import Snapshot


def saved(**facts: Any) -> SavedState:
    """A state that holds these objects."""
    return read_state(Encoder("looking").encode(Snapshot(None, facts)))


def described(value: Any, **limits: Any) -> Description:
    """An object, saved and looked at."""
    state = saved(value=value)
    return Describer(state.resolve, Limits(**limits)).describe(state.facts["value"])
