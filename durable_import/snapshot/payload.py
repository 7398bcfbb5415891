"""What a snapshot holds, and how it lies in a store.

Layout of a payload: the format version (two bytes), its kind (one byte), then what ``pickler.dumps`` made of the state, or
the kernel of a snapshot in segments. The frames of each stack come innermost first, so that each is saved before the frame
that awaits it, and depth of calls is not depth of pickling.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..aio.loop import InstanceLoop
from ..errors import SnapshotFormatError
from ..frames.capture import chain
from ..hook.code_table import CodeInfo

VERSION = 5
READABLE = (4, 5)  # format 4 has the names of ``former_names``, and numbers for places
_LAST_OF_3 = "the last version that opens format 3 is that of 26 November 2026, commit 3a361ef"
COMPLETE, IN_SEGMENTS, IN_PIECES = b"c", b"s", b"p"  # what follows the version
ON_WAY_OUT = b"w"  # likewise: a payload behind what is kept of the state before, see ``sealing.way_out``
LIVES = "lives"  # the fact of a snapshot that lives have begun from: how many
DRIFT = "drift"  # the fact of a snapshot whose instance has lived while the clock was set: by how much, in seconds
HANDED = "handed"  # the fact that holds what a script has handed to the coroutine that it runs
MOMENT = "moment"  # the fact of a snapshot with timers that says when it was made, in seconds since 1970
CODE = "code"  # the fact of a snapshot that says in which version of the program it was made
GAPS = "gaps"  # the fact that says by how much the numbers of tasks' steps jump when the step that is under way has ended
LABELS = "labels"  # the fact of a snapshot that has what the instance has told of itself and nobody had written: ``aio.labels``
LARGE = 256 * 1024  # bytes: such snapshots are in pieces


@dataclass
class Snapshot:
    """What a snapshot holds: the loop of an instance, or a single coroutine (``root``), or neither once it has ended.

    ``has_blocks``, of one that was read: whether a frame is of a function that has ``with`` blocks in which it suspends.
    """

    root: Any = None
    facts: dict[str, Any] = field(default_factory=dict)
    loop: InstanceLoop | None = None
    has_blocks: bool = False

    def stacks(self) -> list[tuple[str, list[Any]]]:
        """The frames of each task, outermost first, with its path."""
        if self.loop is not None:
            return [(task.path, task.stack()) for task in self.loop.tasks]
        return [("", chain(self.root))] if self.root is not None else []


class Saved(NamedTuple):
    """A payload, and what has changed of its segments since the last one was kept by a store.

    ``segments`` is None for a payload that is complete by itself. ``is_whole``: there are no other segments than these.
    ``codes``: the functions of the coroutines and generators that were pickled. ``location``: where the program is.
    ``size``: bytes that were pickled for a snapshot that is not in segments, those of pieces that are kept already included.
    """

    payload: bytes
    segments: dict[str, bytes | None] | None = None
    is_whole: bool = True
    codes: tuple[CodeInfo, ...] = ()
    location: str = ""
    size: int = 0


def payload_of(kind: bytes, *parts: bytes) -> bytes:
    """A payload of today's format; ``kind``: ``COMPLETE``, ``IN_SEGMENTS`` or ``IN_PIECES``."""
    return b"".join((VERSION.to_bytes(2, "big"), kind, *parts))


def is_in_segments(payload: bytes) -> bool:
    """Whether a payload is the kernel of a snapshot in segments."""
    return payload[2:3] == IN_SEGMENTS


def check_format(payload: bytes) -> None:
    """Raise SnapshotFormatError for a payload of a format that this version does not read; it says which one does."""
    version = int.from_bytes(payload[:2], "big")
    if version in READABLE:
        return
    has, reads = f"the snapshot has payload format {version}", f"this version of durable_import reads {READABLE[0]} to {VERSION}"
    if version > VERSION:
        way_out = "a later version has saved it. Install that one and resume again"
    else:
        way_out = f"{_LAST_OF_3}. Let the instance finish with that, or start afresh"
    raise SnapshotFormatError(f"{has}, {reads}: {way_out}; the saved state is kept.")
