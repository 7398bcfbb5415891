"""Going back: an instance is again what it was at an earlier checkpoint, and what it has done since runs once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from ..errors import DurableError, InstanceBusyError
from ..running.instance.migration import unpacked
from ..running.instance.records import Records
from ..running.instance.rewinding import go_back, past_state
from ..running.keeper import Keeper
from ..running.validation import check_id
from ..snapshot.sealing.seal import Seal
from ..snapshot.sealing.segment_seal import SegmentSeal
from ..snapshot.sealing.way_out import own_segments
from ..stores.state import FINISHED, STUCK, Claim, InstanceState, PastState
from ..stores.store import Store
from .inspection import Inspection


@dataclass(frozen=True)
class Rewind:
    """What going back is, or would be: to a ``checkpoint``, at ``location``. ``lost``: the checkpoints behind it, which run
    again."""

    id: str
    checkpoint: int
    location: str
    lost: tuple[PastState, ...]


class Rewinder:
    """Lets instances in ``store`` go back."""

    def __init__(self, store: Store, seal: Seal, inspection: Inspection) -> None:
        self._store = store
        self._seal = seal
        self._inspection = inspection

    async def plan(self, instance_id: str, checkpoint: int) -> Rewind:
        """What would be done. Raises what ``DurableRuntime.rewind`` raises."""
        check_id(instance_id)
        past = await self._inspection.past_state(instance_id, checkpoint)
        states = await self._inspection.past_states(instance_id)
        if checkpoint == states[-1].checkpoint:
            raise ValueError(f"instance {instance_id!r} is at checkpoint {checkpoint}: choose an earlier one to go back to")
        lost = (PastState(each.checkpoint, each.status, each.location) for each in states if each.checkpoint > checkpoint)
        return Rewind(instance_id, checkpoint, past.location, tuple(lost))

    async def rewind(self, plan: Rewind, keeper: Keeper | None, ask: Callable[[], Awaitable[object]]) -> bool:
        """Do it, with the lease of ``keeper``; False if somebody runs the instance (None: this process): ``ask`` publishes the
        request then."""
        claim, present = await self._claimed(plan.id, keeper)
        if claim is None:
            await ask()
            return False
        try:
            found = await past_state(self._store, plan.id, plan.checkpoint)
            if found is None or present is None:
                raise DurableError(f"checkpoint {plan.checkpoint} of instance {plan.id!r} was removed meanwhile: look again")
            self._check(plan.id, *found)
            await go_back(self._store, claim, present, *found)
        finally:
            await self._store.release(claim, has_lived=False)
        return True

    async def undo(self, instance_id: str, keeper: Keeper | None, ask: Callable[[], Awaitable[object]]) -> bool:
        """Let an instance be what it was before it went back. Raises DurableError if it did not."""
        await self._inspection.summary(instance_id)
        found = unpacked(await self._store.load_before(instance_id) or b"")
        if found is None:
            raise ValueError(f"instance {instance_id!r} did not go back: there is nothing to undo")
        before, segments = found
        claim, _ = await self._claimed(instance_id, keeper)
        if claim is None and before.status in FINISHED:
            raise InstanceBusyError(
                f"instance {instance_id!r} runs, and had ended ({before.status}) before it went back: stop the program that runs "
                "it, and undo that then"
            )
        if claim is None:
            await ask()
            return False
        await self._put_back(claim, before, segments)
        return True

    async def _put_back(self, claim: Claim, before: InstanceState, segments: dict[str, bytes]) -> None:
        store, is_end = self._store, before.status in FINISHED
        try:
            self._check(claim.instance_id, before, segments)
            if before.snapshot or not is_end:
                committing = store.commit(claim, before._replace(outcome=b""), segments or None, True)
                if committing is not None:
                    await committing
            await store.keep_before(claim, b"")
            if is_end:
                await store.end(claim, before, keeps=bool(before.snapshot))
        finally:
            if not is_end:
                await store.release(claim, has_lived=False)

    async def _claimed(self, instance_id: str, keeper: Keeper | None) -> tuple[Claim | None, InstanceState | None]:
        """The claim on an instance that nobody has, and its state; no claim: somebody has it."""
        if keeper is None:
            return None, None
        if (await self._inspection.summary(instance_id)).status == STUCK:
            await self._store.retry(instance_id)
        try:
            begun, _ = await keeper.begin(instance_id, None, b"")
        except InstanceBusyError:
            return None, None
        return begun.claim, begun.state

    def _check(self, instance_id: str, state: InstanceState, segments: dict[str, bytes]) -> None:
        records = Records(self._seal, instance_id)
        records.check_state(state)
        if state.snapshot:
            records.check_is_snapshot(SegmentSeal(self._seal, instance_id).open(state.snapshot, own_segments(segments)))
