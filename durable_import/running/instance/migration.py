"""Moving an instance to the code of today by hand, and back.

Who asks for it has none of the program's code: the request is an event, which whoever has the instance obeys, or takes it up
next, when it reads the saved state. Then it is all or nothing: the frames move, or the state stays as it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...errors import CodeChangedError, MissingCodeError, SnapshotError
from ...hook.code_table import find
from ...log import logger
from ...stores.state import Event, InstanceState
from .lease import InstanceLease

MIGRATE = "@migrate"  # the event
_SMALL = InstanceState._fields[:5]  # what stands in the first line of what is kept of a state


@dataclass(frozen=True)
class Migration:
    """A request. ``to_new_code``: frames that are pinned move too; ``undo``: back to the state before.

    ``code``: what was looked at when it was asked for, module, place and digest of functions; ``numbers``: of the events.
    """

    to_new_code: bool = False
    undo: bool = False
    code: tuple[tuple[str, str, str], ...] = ()
    numbers: tuple[int, ...] = ()

    def payload(self) -> dict[str, Any]:
        """What the event says."""
        return {"to_new_code": self.to_new_code, "undo": self.undo, "code": [list(each) for each in self.code]}

    def is_for_this_process(self) -> bool:
        """Whether this process has the code that was looked at; else one that has it is going to obey."""
        try:
            return all(find(module, place, digest) is not None for module, place, digest in self.code)
        except (CodeChangedError, MissingCodeError):
            return False


def asked_by(events: Iterable[Event], open_event: Callable[[str, bytes], Any]) -> Migration | None:
    """The last request among some events, which stands for all of them. Raises SnapshotError for what nobody has sealed."""
    asked = [event for event in events if event.name == MIGRATE]
    if not asked:
        return None
    said = open_event(MIGRATE, asked[-1].payload)
    code = tuple((str(module), str(place), str(digest)) for module, place, digest in said["code"])
    return Migration(said["to_new_code"], said["undo"], code, tuple(event.number for event in asked))


async def request_for(lease: InstanceLease) -> Migration | None:
    """What is asked for of an instance that is about to be read, if this process has the code for it."""
    if lease.events is None:
        load = partial(lease.host.instances.load_events, lease.instance_id)
        lease.events = await lease.patiently(load, "the events are not loaded yet")
    try:
        migration = asked_by(lease.events, lease.records.open_event)
    except SnapshotError:
        return None  # it is told when the events are delivered
    return migration if migration is not None and migration.is_for_this_process() else None


async def put_back(lease: InstanceLease, state: InstanceState) -> None:
    """Go back to the state before an instance was moved by hand, if there is one."""
    found = unpacked(await lease.load_before() or b"")
    if found is None:
        logger.warning("instance %s was not moved by hand: nothing is undone", lease.instance_id, extra=lease.about())
        return
    before, segments = found
    await lease.put_back(before, segments)
    await lease.keep_before(b"")
    logger.info(
        "instance %s goes back from checkpoint %d to %d: what it has done since runs again",
        lease.instance_id,
        state.checkpoint,
        before.checkpoint,
        extra=lease.about(),
    )


def packed(state: InstanceState, segments: dict[str, bytes]) -> bytes:
    """A state with all that is kept of it, sealed as it is: it may be one that has failed, or has an exception on its way out."""
    head = {
        **dict(zip(_SMALL, state[:5], strict=True)),
        "snapshot": len(state.snapshot),
        "outcome": len(state.outcome),
        "segments": [[key, len(data)] for key, data in segments.items()],
    }
    return b"".join((json.dumps(head).encode(), b"\n", state.snapshot, state.outcome, *segments.values()))


def unpacked(data: bytes) -> tuple[InstanceState, dict[str, bytes]] | None:
    """What ``packed`` was given; None if it is none. Whether it is what was sealed is seen when it is opened."""
    first, _, rest = data.partition(b"\n")
    try:
        head = json.loads(first)
        snapshot, rest = rest[: head["snapshot"]], rest[head["snapshot"] :]
        outcome, rest = rest[: head["outcome"]], rest[head["outcome"] :]
        segments = dict[str, bytes]()
        for key, size in head["segments"]:
            segments[key], rest = rest[:size], rest[size:]
        return InstanceState._make([*(head[name] for name in _SMALL), snapshot, outcome]), segments
    except (ValueError, TypeError, LookupError, RecursionError):
        return None
