"""``migrate``: instances go on in the code of today, or are again what they were before that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from .. import DurableError
from ..api.migration import Undone, migrate_instances, undo_migrations
from .check import CANNOT, document_of, line_of
from .speech import USAGE, print_document, say


class Wanted(NamedTuple):
    """See ``migrate_instances``. ``undo``: what they were before is to be put back."""

    to_new_code: bool
    dry_run: bool
    undo: bool


def migrate(store: str, instance_ids: Sequence[str] | None, wanted: Wanted, *, as_json: bool) -> int:
    """Print a line for each instance, or one document; gives the exit status."""
    try:
        if wanted.undo:
            return _tell_undone(asyncio.run(undo_migrations(store, instance_ids, dry_run=wanted.dry_run)), as_json=as_json)
        moving = migrate_instances(store, instance_ids, to_new_code=wanted.to_new_code, dry_run=wanted.dry_run)
        found = asyncio.run(moving)
    except (DurableError, OSError, ValueError) as error:
        say(f"error: {error}")
        return USAGE
    if as_json:
        print_document({"instances": [document_of(each) for each in found]})
    else:
        for each in found:
            print(line_of(each))
            for misfit in each.misfits:
                print(f"    {misfit}")
        if not wanted.dry_run:
            count = sum(any(f.verdict == "moves" for f in each.findings) and each.verdict != "cannot" for each in found)
            say(f"{count} of {len(found)} move when the process that has them, or takes them up next, has this code")
    if any(not each.is_seen for each in found):
        return USAGE
    return CANNOT if any(each.verdict == "cannot" for each in found) else 0


def _tell_undone(found: Sequence[Undone], *, as_json: bool) -> int:
    if as_json:
        print_document({"instances": [_undone_document(each) for each in found]})
    else:
        for each in found:
            print("  ".join([each.instance_id, each.function, _verdict(each), each.reason]))
    return 0 if all(each.goes_back for each in found) else CANNOT


def _undone_document(undone: Undone) -> dict[str, str]:
    return {"id": undone.instance_id, "function": undone.function, "verdict": _verdict(undone), "reason": undone.reason}


def _verdict(undone: Undone) -> str:
    return "back" if undone.goes_back else "cannot"
