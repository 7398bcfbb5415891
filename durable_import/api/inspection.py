"""What can be seen of the instances in a store, with the key and without a line of their code: stacks, events, history."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from ..errors import DurableError, StoreUnavailableError, UnknownInstanceError
from ..inspect.lines import FunctionText
from ..inspect.records import describe_call, describe_fact
from ..inspect.stack import InstanceStack, stack_of
from ..inspect.state import SavedState, read_state
from ..inspect.values import MASKED, USUAL, Description, Limits
from ..running.instance.failed import look_at_failure
from ..running.instance.records import OUTCOMES, Records
from ..running.sources import Sources
from ..snapshot.sealing.seal import Seal
from ..snapshot.sealing.segment_seal import SegmentSeal
from ..snapshot.sealing.way_out import StateBefore, own_segments, segments_before
from ..stores.state import InstanceState, InstanceSummary, PastState
from ..stores.store import History, Kept, Store
from .children import InstanceTree, children_of, tree_of, with_children

Stack: TypeAlias = InstanceStack

LARGE = 64 * 1024  # bytes of a state: others would wait for what looks at it
TRIES = 20  # to read a state and its segments while its owner goes on


@dataclass(frozen=True)
class EventView:
    """An event that an instance has not taken yet; a name that begins with "@" is a request of durable_import's own."""

    number: int
    name: str
    payload: Description | None


class Inspection:
    """Looks at instances in ``store``; ``find_seal`` gives its key's seal when something sealed is to be shown.

    Nothing is imported, run or written. All methods raise UnknownInstanceError, StoreError, and for what is sealed
    MissingKeyError and SnapshotAuthenticationError, which name the key.
    """

    def __init__(self, store: Store, find_seal: Callable[[], Seal]) -> None:
        self._store = store
        self._find_seal = find_seal
        self._sources = Sources(store)

    async def summary(self, instance_id: str) -> InstanceSummary:
        """What is small of an instance."""
        summary = await self._store.summary(instance_id)
        if summary is None:
            raise UnknownInstanceError(f"there is no instance {instance_id!r} in {self._store!r}: check the id")
        return summary

    async def info(self, instance_id: str) -> InstanceSummary:
        """The same, with the children."""
        return await with_children(self._store, await self.summary(instance_id))

    async def children(self, instance_id: str) -> list[InstanceSummary]:
        """Those that an instance has begun, the oldest first. Raises DurableError if the store cannot list its instances."""
        await self.summary(instance_id)
        return await children_of(self._store, instance_id)

    async def tree(self, instance_id: str) -> InstanceTree:
        """With all below them. Raises likewise."""
        return await tree_of(self._store, await self.summary(instance_id))

    async def stack(self, instance_id: str, limits: Limits | None = None, checkpoint: int | None = None) -> InstanceStack:
        """All that an instance was at its last checkpoint, or at an earlier one that the store has kept. Raises
        SnapshotFormatError for a damaged one, and ValueError for a checkpoint that is not kept."""
        limits = limits or USUAL
        summary = await self.summary(instance_id)
        kept, segments = await self.load(instance_id)
        if checkpoint not in (None, kept.state.checkpoint):
            past = await self._past(instance_id, checkpoint)
            kept, segments = kept._replace(state=past), await self.past_segments(instance_id, past)
            summary = replace(summary, status=kept.state.status, hold=None)
        state, seal = kept.state, self._find_seal()
        records = Records(seal, instance_id)
        found = InstanceStack(instance_id, state.checkpoint, summary.status)
        if state.snapshot:
            size, saved = await self._read(instance_id, seal, kept, segments)
            texts = await self.texts_of(saved)
            show = partial(stack_of, checkpoint=state.checkpoint, status=summary.status)
            found = await _apart(size, show, saved, instance_id, texts, limits)
        called = records.called(kept.call)
        return replace(
            found,
            call=describe_call(called, limits) if called else None,
            outcome=self._outcome(records, state, limits),
            hold=summary.hold.what if summary.hold is not None else "",
        )

    @property
    def sources(self) -> Sources:
        """The texts that the store keeps."""
        return self._sources

    async def saved(self, instance_id: str) -> SavedState | None:
        """The state that an instance goes on from, as nodes: that of before the exception, if it has failed; None if it has not
        come to a checkpoint. Raises SnapshotFormatError."""
        kept, segments = await self.load(instance_id)
        before = self.before_failure(instance_id, kept.state)
        if before is not None:
            state = kept.state._replace(snapshot=before.snapshot, checkpoint=before.checkpoint)
            kept, segments = kept._replace(state=state), segments_before(segments)
        if not kept.state.snapshot:
            return None
        return (await self._read(instance_id, self._find_seal(), kept, segments))[1]

    async def steps_after_failure(self, instance_id: str) -> tuple[str, ...]:
        """See ``RanAfterFailureError``; empty for one that has not failed."""
        kept = await self._store.load(instance_id)
        if kept is None or kept.state.status != "failed":
            return ()
        return look_at_failure(kept, self._find_seal(), instance_id).steps

    def before_failure(self, instance_id: str, state: InstanceState) -> StateBefore | None:
        """What is kept of before the exception by which an instance has failed."""
        if state.status != "failed" or not Records(self._find_seal(), instance_id).way_taken(state.outcome).has_before:
            return None
        return SegmentSeal(self._find_seal(), instance_id).before_in(state.snapshot)

    @staticmethod
    async def _read(instance_id: str, seal: Seal, kept: Kept, segments: dict[str, bytes]) -> tuple[int, SavedState]:
        """A state with its size in bytes."""
        records = Records(seal, instance_id)
        segments = own_segments(segments)
        payload = SegmentSeal(seal, instance_id).open(kept.state.snapshot, segments)
        records.check_is_snapshot(payload)
        size = len(payload) + sum(map(len, segments.values()))
        saved = await _apart(size, read_state, payload, segments)
        records.check_row(kept.state, kept.call, saved.facts)
        return size, saved

    @staticmethod
    def _outcome(records: Records, state: InstanceState, limits: Limits) -> Description | None:
        kind = OUTCOMES.get(state.status)
        if kind is None or not state.outcome:
            return None
        return describe_fact(records.unopened(kind, state.outcome), kind, limits)

    async def load(self, instance_id: str) -> tuple[Kept, dict[str, bytes]]:
        """A state with the segments that belong to it: its owner may go on between the two questions."""
        kept = await self._store.load(instance_id)
        for _ in range(TRIES):
            if kept is None:
                raise UnknownInstanceError(f"there is no instance {instance_id!r} in {self._store!r}: check the id")
            before = self.before_failure(instance_id, kept.state)
            snapshots = [kept.state.snapshot, before.snapshot if before is not None else b""]
            if not any(blob and self._is_in_segments(instance_id, blob) for blob in snapshots):
                return kept, {}
            segments = await self._store.load_segments(instance_id)
            first, kept = kept, await self._store.load(instance_id)
            if kept is not None and kept.state.snapshot == first.state.snapshot:
                return kept, segments
        raise StoreUnavailableError(
            f"instance {instance_id!r} was committed again each of the {TRIES} times that its parts were read: look again, or at "
            "a moment when it waits"
        )

    def _is_in_segments(self, instance_id: str, blob: bytes) -> bool:
        return SegmentSeal(self._find_seal(), instance_id).is_in_segments(blob)

    async def texts_of(self, saved: SavedState) -> dict[str, FunctionText]:
        """The kept texts of the functions that tasks are in, by digest."""
        frames = [frame for task in saved.tasks.values() for frame in task.frames]
        found = {}
        for digest in {frame.digest for frame in frames}:
            text = await self._sources.load(digest)
            if text:
                found[digest] = FunctionText(text, *await self._sources.load_place(digest))
        return found

    async def events(self, instance_id: str, limits: Limits | None = None) -> list[EventView]:
        """The events for an instance that it has not taken yet, in their order; there may be some before it exists."""
        events = await self._store.load_events(instance_id)
        if not events:
            await self.summary(instance_id)
            return []
        records = Records(self._find_seal(), instance_id)
        limits = limits or USUAL
        payloads = (describe_fact(records.unopened("event", event.payload), "event", limits) for event in events)
        hidden = [limits.mask is not None and limits.mask.hides(event.name, "") for event in events]
        return [
            EventView(event.number, event.name, payload if not is_hidden else MASKED)
            for event, payload, is_hidden in zip(events, payloads, hidden, strict=True)
        ]

    async def _past(self, instance_id: str, checkpoint: int | None) -> InstanceState:
        """What an instance was at a checkpoint."""
        states = {state.checkpoint: state for state in await self.past_states(instance_id)}
        if checkpoint not in states:
            raise ValueError(f"checkpoint {checkpoint} of instance {instance_id!r} is not kept: its history tells which are")
        return states[checkpoint]

    async def history(self, instance_id: str) -> list[PastState]:
        """What an instance has been, oldest first, with the present last. Raises DurableError if the store keeps no history."""
        return [PastState(state.checkpoint, state.status, state.location) for state in await self.past_states(instance_id)]

    async def past_state(self, instance_id: str, checkpoint: int) -> InstanceState:
        """One of them. Raises ValueError, which says which there are, if it is not there."""
        states = {state.checkpoint: state for state in await self.past_states(instance_id)}
        if checkpoint not in states:
            raise ValueError(f"instance {instance_id!r} has no checkpoint {checkpoint}: there are {_ranges(sorted(states))}")
        return states[checkpoint]

    async def past_segments(self, instance_id: str, state: InstanceState) -> dict[str, bytes]:
        """The segments of a past state."""
        history = self._store.history
        if history is None or not SegmentSeal.is_in_segments(state.snapshot):
            return {}
        return await history.load_past_segments(instance_id, state.checkpoint)

    async def past_states(self, instance_id: str) -> list[InstanceState]:
        """The same with what was sealed."""
        history: History | None = self._store.history
        if history is None:
            raise DurableError(f"{self._store!r} keeps no history: open it with history=True, or ?history=true in its URL")
        await self.summary(instance_id)
        return await history.load_history(instance_id)


async def _apart(size: int, look: Callable[..., Any], *arguments: Any) -> Any:
    """What looking gives; of large states in a thread, so that an event loop goes on meanwhile."""
    return await asyncio.to_thread(look, *arguments) if size > LARGE else look(*arguments)


def _ranges(numbers: list[int]) -> str:
    """Numbers, as in ``2 to 5, 8``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(f"{each[0]} to {each[-1]}" if len(each) > 1 else str(each[0]) for each in found) or "none"
