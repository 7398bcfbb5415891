"""What is kept beside a snapshot: the call that has begun an instance, its outcome, and events."""

from __future__ import annotations

from .graph import Made, items_of
from .state import read_state
from .values import Describer, Description, Limits

_PARTS_OF_CALL = 3  # function, arguments, keywords
_PARTS_OF_EVENT = 3  # name, what tells it from others, payload


def describe_call(payload: bytes, limits: Limits) -> Description | None:
    """A call, as ``function(argument, name=argument)``. Raises SnapshotFormatError."""
    state = read_state(payload)
    call = items_of(state.facts.get("call"), "tuple")
    if call is None or len(call) != _PARTS_OF_CALL:
        return None
    function, arguments, keywords = (state.resolve(part) for part in call)
    return Describer(state.resolve, limits).describe(Made(function, items_of(arguments, "tuple") or [], keywords))


def describe_fact(payload: bytes, name: str, limits: Limits) -> Description | None:
    """One of the facts of a record; None if it has none of that name. Raises SnapshotFormatError."""
    state = read_state(payload)
    if name not in state.facts:
        return None
    node = state.facts[name]
    parts = items_of(node, "tuple")
    if name == "event" and parts is not None and len(parts) == _PARTS_OF_EVENT:
        node = parts[2]
    return Describer(state.resolve, limits).describe(node)
