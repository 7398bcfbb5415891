"""``list``: the instances in a store."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from .. import DurableError
from ..api.lists import Summary, list_instances
from .speech import OURS, say

COLUMNS = ("id", "status", "function", "changed", "where")


def list_of(store: str, **asked: Any) -> int:
    """Print a line for each instance that fits all that is asked for, see ``list_instances``; gives the exit status."""
    try:
        instances, is_more = asyncio.run(list_instances(store, **asked))
    except DurableError as error:
        say(f"error: {error}")
        return OURS
    rows = [(_shown(each.instance_id), each.status, each.function, moment(each.updated_at), _where(each)) for each in instances]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for row in (COLUMNS, *rows) if rows else ():
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if not rows:
        say(f"there is no such instance in {store}")
    if any(each.status == "stuck" for each in instances):
        say("what is stuck goes on when what its error names is mended, by: durable retry ID")
    if is_more:
        say(f"there are more than these {len(rows)}: give --limit")
    return 0


def _shown(text: str) -> str:
    """An id in one line, as ``repr`` shows it if it is an odd one."""
    return text if text.isprintable() and text.strip() == text != "" else repr(text)


def moment(seconds: float) -> str:
    """A time in the zone of this process."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):  # somebody has put it there
        return repr(seconds)


def _where(each: Summary) -> str:
    """Where it is, and what keeps it there."""
    if each.error:
        return f"{each.location}: {each.error.splitlines()[0]}".removeprefix(": ")
    if each.hold is not None:
        return f"{each.location}: held by {each.hold.what}".removeprefix(": ")
    return each.location
