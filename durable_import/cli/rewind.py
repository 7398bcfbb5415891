"""``rewind``: an instance goes back to an earlier checkpoint, or is again what it was before that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .asking import ask_of
from .speech import print_document, say, shown

if TYPE_CHECKING:
    from ..api.connection import Client, ClientHandle
    from ..api.rewinding import Rewind

_ASKED = "the process that runs it is asked for that, and does it within a second"


def rewind_instance(instance_id: str, checkpoint: int | None, *, dry_run: bool, store: str, as_json: bool) -> int:
    """Print what runs again, and do it. ``checkpoint``: None undoes that. Gives the exit status."""

    def rewind(client: Client, handle: ClientHandle) -> int:
        if checkpoint is None:
            is_done = client.rewind(handle.id, undo=True)
            if as_json:
                print_document({"id": handle.id, "undone": True, "done": is_done})
            say(f"instance {handle.id} is what it was before it went back" + ("" if is_done else f": {_ASKED}"))
            return 0
        plan = client.plan_rewind(handle.id, checkpoint)
        is_done = False if dry_run else client.rewind(handle.id, checkpoint)
        _print(plan, dry_run=dry_run, is_done=is_done, as_json=as_json)
        return 0

    return ask_of(store, instance_id, rewind)


def _print(plan: Rewind, *, dry_run: bool, is_done: bool, as_json: bool) -> None:
    if as_json:
        lost = [{"checkpoint": each.checkpoint, "location": each.location, "status": each.status} for each in plan.lost]
        told = {"id": plan.id, "checkpoint": plan.checkpoint, "location": plan.location, "lost": lost}
        print_document({**told, "dry_run": dry_run, "done": is_done})
        return
    for each in plan.lost:
        print("  ".join([str(each.checkpoint), each.status, shown(each.location or "-")]))
    where = f" at {plan.location}" if plan.location else ""
    what = f"instance {plan.id} goes back to checkpoint {plan.checkpoint}{where}, and what came after it runs again"
    if dry_run:
        say(f"{what}: nothing was done, as --dry-run was given")
    else:
        say(what if is_done else f"{what}: {_ASKED}")
