"""An instance goes back to an earlier checkpoint of its history.

Where nobody has it, who wants that does it, with a claim. Else the request is an event, which whoever has the instance obeys, or
takes it up next. What it was is kept, so that it can be undone as a move by hand: see ``migration``.
"""

from __future__ import annotations

from functools import partial

from ...errors import SnapshotError
from ...log import logger
from ...snapshot.sealing.segment_seal import SegmentSeal
from ...snapshot.sealing.way_out import own_segments
from ...stores.state import FINISHED, Claim, InstanceState
from ...stores.store import Store
from .lease import InstanceLease
from .migration import packed

REWIND = "@rewind"  # the event; its payload is the number of the checkpoint


def going_on(state: InstanceState) -> InstanceState:
    """What one that has failed was before it had failed."""
    status = state.status if state.status not in FINISHED else "running" if state.snapshot else "pending"
    return state._replace(status=status, outcome=b"")


async def past_state(store: Store, instance_id: str, checkpoint: int) -> tuple[InstanceState, dict[str, bytes]] | None:
    """A state of the history that can go on, with its segments; None if there is none of that number."""
    history = store.history
    states = await history.load_history(instance_id) if history is not None else []
    found = next((state for state in states if state.checkpoint == checkpoint), None)
    if found is None or history is None:
        return None
    segments = {}
    if SegmentSeal.is_in_segments(found.snapshot):
        segments = own_segments(await history.load_past_segments(instance_id, checkpoint))
    return going_on(found), segments


async def go_back(store: Store, claim: Claim, present: InstanceState, past: InstanceState, segments: dict[str, bytes]) -> None:
    """Let a past state be the last one, and keep what was the last one until now."""
    await store.keep_before(claim, packed(present, await store.load_segments(claim.instance_id)))
    committing = store.commit(claim, past, segments or None, True)
    if committing is not None:
        await committing


async def rewind_if_asked(lease: InstanceLease) -> None:
    """Of an instance that is about to be read: go back, if that was asked for; the request is done then."""
    if lease.events is None:
        load = partial(lease.host.instances.load_events, lease.instance_id)
        lease.events = await lease.patiently(load, "the events are not loaded yet")
    asked = [event for event in lease.events if event.name == REWIND]
    if not asked or lease.state is None or lease.claim is None:
        return
    try:
        checkpoint = lease.records.open_event(REWIND, asked[-1].payload)
    except SnapshotError:
        return  # it is told when the events are delivered
    store, state = lease.host.instances, lease.state
    find = partial(past_state, store, lease.instance_id, checkpoint)
    found = await lease.patiently(find, "its history is not loaded yet")
    if found is None:
        logger.warning(
            "instance %s does not go back: it has no checkpoint %s", lease.instance_id, checkpoint, extra=lease.about()
        )
    elif found[0].checkpoint < state.checkpoint:
        past = lease.records.check_state(found[0])
        back = partial(go_back, store, lease.claim, state, past, found[1])
        await lease.patiently(back, "the state before is not put back yet")
        lease.state = past
        what = "instance %s goes back from checkpoint %d to %d: what it has done since runs again"
        logger.info(what, lease.instance_id, state.checkpoint, checkpoint, extra=lease.about())
    remove = partial(store.remove_events, lease.instance_id, [event.number for event in asked])
    await lease.patiently(remove, "the request to go back is not removed yet")
    lease.events = [event for event in lease.events if event.name != REWIND]
