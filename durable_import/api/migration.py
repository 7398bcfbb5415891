"""Moving instances to the code of today by hand, and back: looked at first, from the files on the disk, and asked for then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..running.instance.migration import Migration, unpacked
from ..stores.state import FINISHED
from .check import ByHand, Checked, check_by_hand, unfinished
from .client import AsyncClient


async def migrate_instances(
    store: str, instance_ids: Sequence[str] | None, *, to_new_code: bool = False, dry_run: bool = False
) -> list[Checked]:
    """Let instances move to the code of today, as it is on the disk: those named, or all that have not ended.

    Gives what becomes of each. Those that move are asked to, unless it is a ``dry_run``: whoever has one, or takes it up next,
    and has that code, moves it, keeps what it was before, and commits. ``to_new_code``: those too that are pinned, which stay so
    else. Raises UnknownInstanceError, StoreError, MissingKeyError.
    """
    client = AsyncClient(store)
    try:
        found = await check_by_hand(client, ByHand(to_new_code), instance_ids)
        for checked in found:
            code = [(each.module, each.function, each.digest) for each in checked.findings if each.verdict == "moves"]
            if code and checked.verdict != "cannot" and not dry_run:
                await client.ask_to_migrate(checked.instance_id, Migration(to_new_code, code=tuple(code)))
        return [_with_way(each) for each in found]
    finally:
        await client.close()


def _with_way(checked: Checked) -> Checked:
    if checked.verdict != "pinned":
        return checked
    return replace(checked, reason=f"{checked.reason}; --to-new-code moves it")


@dataclass(frozen=True)
class Undone:
    """What becomes of an instance that is to be as it was before it was moved. ``goes_back``: whether it will be."""

    instance_id: str
    function: str
    goes_back: bool
    reason: str


async def undo_migrations(store: str, instance_ids: Sequence[str] | None, *, dry_run: bool = False) -> list[Undone]:
    """Let instances be as they were before they were moved by hand: those named, or all. Raises as ``migrate_instances``."""
    client = AsyncClient(store)
    try:
        if instance_ids is None:
            instance_ids = [summary.instance_id async for summary in unfinished(client)]
            return [each for name in instance_ids if (each := await _undone(client, name, dry_run=dry_run)).goes_back]
        return [await _undone(client, name, dry_run=dry_run) for name in instance_ids]
    finally:
        await client.close()


async def _undone(client: AsyncClient, instance_id: str, *, dry_run: bool) -> Undone:
    summary = await client.inspection.summary(instance_id)
    has_asked = await client.withdraw_migration(instance_id, dry_run=dry_run)
    if has_asked:
        return Undone(instance_id, summary.function, True, "it was not moved yet, and is not going to be")
    found = unpacked(await client.load_before(instance_id) or b"")
    if found is None:
        return Undone(instance_id, summary.function, False, "it was not moved by hand: there is nothing to undo")
    if summary.status in FINISHED and summary.status != "failed":
        return Undone(instance_id, summary.function, False, f"it has ended ({summary.status}): there is nothing to go back to")
    if not dry_run:
        await client.ask_to_migrate(instance_id, Migration(undo=True))
    lost = f"from checkpoint {summary.checkpoint} to {found[0].checkpoint}: what it has done since runs again"
    return Undone(instance_id, summary.function, True, lost)
