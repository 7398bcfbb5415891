"""What is kept beside a snapshot: the call that has begun an instance, its outcome, and events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .graph import Made, items_of
from .plain import plain_of
from .state import read_state
from .values import USUAL, Describer, Description, Limits

_PARTS_OF_CALL = 3  # function, arguments, keywords
_PARTS_OF_EVENT = 3  # name, what tells it from others, payload


@dataclass(frozen=True)
class Answer:
    """What an instance has answered, as JSON has it; of an exception (``is_error``), the text."""

    is_error: bool
    value: Any


def plain_answer(payload: bytes) -> Answer:
    """An answer. Raises SnapshotFormatError."""
    state = read_state(payload)
    value = state.facts.get("value")
    if plain_of(state.facts.get("is_error"), state.resolve) is True:
        return Answer(True, str(Describer(state.resolve, USUAL).describe(value)))
    return Answer(False, plain_of(value, state.resolve))


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
