"""``check``: what becomes of the instances in a store in the code of today."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .. import DurableError
from ..api.check import Checked, check_instances
from ..api.program import ProgramError
from .speech import USAGE, say

CANNOT = 1  # exit status: one of them cannot go on


def check(store: str, names: Sequence[str], *, on_change: Any, old_code: bool, as_json: bool) -> int:
    """Print a line for each instance, or one document; gives the exit status."""
    try:
        found = asyncio.run(check_instances(store, names, on_change=on_change, old_code=old_code))
    except (DurableError, ProgramError, OSError) as error:
        say(f"error: {error}")
        return USAGE
    if as_json:
        print(json.dumps({"instances": [document_of(each) for each in found]}, indent=2))
    else:
        for each in found:
            print(line_of(each))
            for misfit in each.misfits:
                print(f"    {misfit}")
    if not found and not as_json:
        say(f"no instance in {store} is in the middle of this code")
    if any(not each.is_seen for each in found):
        return USAGE
    return CANNOT if any(not each.goes_on for each in found) else 0


def line_of(checked: Checked) -> str:
    """An instance in one line."""
    where = f"{checked.file}:{checked.line}: " if checked.file and checked.line and checked.verdict == "cannot" else ""
    words = [checked.instance_id, checked.function, checked.verdict, f"{where}{checked.reason}"]
    return "  ".join(word for word in words if word)


def document_of(checked: Checked) -> dict[str, Any]:
    found = asdict(checked)
    found["id"] = found.pop("instance_id")
    del found["is_seen"]
    return {"id": found.pop("id"), **found}
