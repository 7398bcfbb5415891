"""A snapshot that was made while an exception was on its way out: it holds the one before.

Layout of its payload: the format version (two bytes), ``ON_WAY_OUT``, the lengths of a head and of the sealed snapshot before,
these two, then the payload of what is now. The head is JSON, for it is looked at before anything is opened. The segments of the
snapshot before stay in the store under their names behind ``PRESERVED``, each from the commit on that changes it.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import NamedTuple

from ...aio.unwinding import StepOnWayOut
from ..payload import ON_WAY_OUT, VERSION

PRESERVED = "before/"  # what the names of segments begin with that are those of the snapshot before
NONE_THEN = b""  # the data of one that it has not
_LENGTHS = struct.Struct(">QQ")
_FIRST = 3 + _LENGTHS.size


class StateBefore(NamedTuple):
    """The last state before an exception was raised: its sealed snapshot (empty: nothing was saved before), and what the row
    said of it. ``steps``: of the program's own code, that ran on the way out."""

    snapshot: bytes
    checkpoint: int
    location: str
    steps: tuple[StepOnWayOut, ...] = ()


def wrap(payload: bytes, before: StateBefore) -> bytes:
    """The payload with the state before in it."""
    told = {"checkpoint": before.checkpoint, "location": before.location, "steps": [list(step) for step in before.steps]}
    head = json.dumps(told).encode()
    lengths = _LENGTHS.pack(len(head), len(before.snapshot))
    return b"".join((VERSION.to_bytes(2, "big"), ON_WAY_OUT, lengths, head, before.snapshot, payload))


def inner_part(payload: bytes) -> int:
    """Where the payload of what is now begins."""
    if payload[2:3] != ON_WAY_OUT or len(payload) < _FIRST:
        return 0
    head, snapshot = _LENGTHS.unpack_from(payload, 3)
    return _FIRST + int(head) + int(snapshot)


def state_before(payload: bytes) -> StateBefore | None:
    """What is kept of the state before; None if no exception was on its way out."""
    end = inner_part(payload)
    if not end:
        return None
    length, _ = _LENGTHS.unpack_from(payload, 3)
    head = json.loads(payload[_FIRST : _FIRST + length])
    steps = tuple(StepOnWayOut(*step) for step in head["steps"])
    return StateBefore(payload[_FIRST + length : end], head["checkpoint"], head["location"], steps)


def own_segments(segments: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of what is now."""
    return {key: data for key, data in segments.items() if not is_preserved(key)}


def segments_before(segments: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those of the snapshot before, of all that are kept."""
    preserved = {key[len(PRESERVED) :]: data for key, data in segments.items() if is_preserved(key)}
    return {key: data for key, data in {**own_segments(segments), **preserved}.items() if data != NONE_THEN}


def is_preserved(key: object) -> bool:
    """Whether a segment is one of the snapshot before, which has changed since."""
    return type(key) is str and key.startswith(PRESERVED)
