"""Snapshots that were authenticated, made objects again."""

from __future__ import annotations

from typing import Any

from ..aio.generators import restoring_generators
from ..aio.standard import make_asyncio_durable
from .incremental.pieces import join_pieces
from .incremental.segments import load_segments
from .module_data.contents import find_imported, restore_program
from .module_data.modules import ScriptData
from .payload import IN_PIECES, MOMENT, Snapshot, check_format, is_in_segments
from .tasks.loops import fill_loop
from .unpickler import load_with_loop


def decoded(payload: bytes, segments: dict[str, bytes], script: ScriptData | None, instance_id: str | None) -> Snapshot:
    """The snapshot of an authenticated payload. Raises SnapshotFormatError for a format that is not read here."""
    check_format(payload)
    make_asyncio_durable()
    with restoring_generators() as finalizer:
        if is_in_segments(payload):
            ((facts, contents), held, inbox), found = load_segments(payload[3:], segments)
            stack: list[Any] = []
        else:
            data = join_pieces(payload[3:], segments) if payload[2:3] == IN_PIECES else payload[3:]
            (stack, facts, contents, held, inbox, _), found = load_with_loop(data)
    if script is not None:
        find_imported(script)
    restore_program(script, contents)
    if held is None:
        return Snapshot(stack[-1] if stack else None, facts)
    fill_loop(found, held, inbox, facts.pop(MOMENT, None))
    found.loop.instance_id = instance_id
    finalizer.has(found.loop)
    return Snapshot(None, facts, found.loop)
