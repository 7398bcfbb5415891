"""A new instance from what another one was: from a checkpoint that the store has kept, or the present one, with some variables
changed.

None of the program's code is needed or run for it: the snapshot is changed as bytes (``inspect.changing``), bound to the new id,
and sealed again.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import InstanceMismatchError
from ..inspect.changing import Changed, StateEditor
from ..running.instance.records import Records, digest_of_call, incarnation_of
from ..running.instance.rewinding import going_on
from ..running.keeper import Keeper
from ..running.validation import check_id
from ..snapshot.payload import Saved
from ..snapshot.sealing.seal import Seal
from ..snapshot.sealing.segment_seal import SegmentSeal
from ..snapshot.sealing.way_out import own_segments, segments_before
from ..stores.state import FINISHED, InstanceSummary
from ..stores.store import Kept, Store
from ..tags import FORKED
from .copies import Copy, Receiver
from .inspection import Inspection


@dataclass(frozen=True)
class Fork:
    """What a fork is, or would be. ``id``: its own; ``source`` and ``checkpoint``: what it is from, where that was at
    ``location``; ``changes``: the variables that are others, by their paths in full, with what they held as text."""

    id: str
    source: str
    checkpoint: int
    status: str
    location: str
    changes: tuple[Changed, ...] = ()


class Plan(NamedTuple):
    """A fork that is to be made, and what is to be kept of it."""

    fork: Fork
    copy: Copy


class Forker:
    """Makes forks in ``store``."""

    def __init__(self, store: Store, seal: Seal, inspection: Inspection) -> None:
        self._store = store
        self._seal = seal
        self._inspection = inspection

    async def plan(self, instance_id: str, checkpoint: int | None, new_id: str | None, changes: Mapping[str, Any] | None) -> Plan:
        """What would be made. Raises what ``DurableRuntime.fork`` raises."""
        check_id(instance_id)
        if new_id is None:
            new_id = f"{instance_id}-{secrets.token_hex(4)}"
        check_id(new_id)
        summary = await self._inspection.summary(instance_id)
        await self._check_is_free(new_id)
        kept, segments = await self._stand(instance_id, checkpoint)
        call = Records(self._seal, instance_id).rebound_call(kept.call, new_id)
        state, changed = kept.state, tuple[Changed, ...]()
        if state.snapshot:
            payload, segments, changed = await self._edited(instance_id, new_id, kept, segments, call, changes or {})
            saved = Saved(payload, dict(segments) or None)
            state = state._replace(snapshot=SegmentSeal(self._seal, new_id).seal(saved))
        elif changes:
            raise ValueError(
                f"instance {instance_id!r} has not begun at checkpoint {state.checkpoint}: it has no variables yet. Fork it from "
                "a later one, or start it with other arguments"
            )
        fork = Fork(new_id, instance_id, state.checkpoint, state.status, state.location, changed)
        origin = json.dumps((instance_id, state.checkpoint), ensure_ascii=False)
        copy = Copy(new_id, *state, call, dict(segments), tags={**summary.tags, FORKED: origin})
        return Plan(fork, copy)

    async def make(self, plan: Plan, keeper: Keeper) -> None:
        """Keep a fork, with the lease of ``keeper``, and let go of it. Raises InstanceMismatchError if somebody else has made an
        instance of that id meanwhile."""
        if not await Receiver(self._store, keeper, self._seal).put(plan.copy):
            raise _taken(plan.fork.id)

    async def is_made(self, new_id: str, source: str) -> bool:
        """Whether there is a fork of an instance under an id."""
        summary = await self._store.summary(new_id)
        return summary is not None and summary.forked_from == source

    async def _check_is_free(self, new_id: str) -> None:
        found: InstanceSummary | None = await self._store.summary(new_id)
        if found is not None:
            raise _taken(new_id)

    # --- what it was

    async def _stand(self, instance_id: str, checkpoint: int | None) -> tuple[Kept, dict[str, bytes]]:
        """A state that a new instance can go on from, with its segments."""
        kept, segments = await self._inspection.load(instance_id)
        if checkpoint is None or checkpoint == kept.state.checkpoint:
            return self._present(instance_id, kept, segments)
        state = await self._inspection.past_state(instance_id, checkpoint)
        return kept._replace(state=going_on(state)), own_segments(await self._inspection.past_segments(instance_id, state))

    def _present(self, instance_id: str, kept: Kept, segments: dict[str, bytes]) -> tuple[Kept, dict[str, bytes]]:
        """From where it would be tried again, if it has failed."""
        state = kept.state
        before = self._inspection.before_failure(instance_id, state)
        if before is not None:
            state = state._replace(snapshot=before.snapshot, checkpoint=before.checkpoint, location=before.location)
            segments = segments_before(segments)
        if state.status in FINISHED and state.status != "failed":
            raise ValueError(
                f"instance {instance_id!r} has ended ({state.status}), and nothing is left that could go on: choose an earlier "
                "checkpoint, in a store that keeps its history"
            )
        return kept._replace(state=going_on(state)), own_segments(segments)

    async def _edited(
        self,
        instance_id: str,
        new_id: str,
        kept: Kept,
        segments: dict[str, bytes],
        call: bytes,
        changes: Mapping[str, Any],
    ) -> tuple[bytes, dict[str, bytes], tuple[Changed, ...]]:
        records = Records(self._seal, instance_id)
        payload = SegmentSeal(self._seal, instance_id).open(kept.state.snapshot, segments)
        records.check_is_snapshot(payload)
        editor = StateEditor(payload, segments)
        records.check_row(kept.state, kept.call, editor.state.facts)
        texts = await self._inspection.texts_of(editor.state) if changes else {}
        changed = tuple(editor.change(path, value, texts) for path, value in changes.items())
        editor.rename(instance_id, new_id)
        editor.bind({"call": digest_of_call(call)}, incarnation_of(call) if call else secrets.token_hex(4))
        return (*editor.result(), changed)


def _taken(new_id: str) -> InstanceMismatchError:
    return InstanceMismatchError(f"instance {new_id!r} exists already, and was left as it is: choose another id for the fork")
