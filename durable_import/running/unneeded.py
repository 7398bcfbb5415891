"""Removes the kept texts of the program that no instance needs any more.

What is kept of an instance names the functions and versions that it needs, by hashes that stand in it as they are. So all that a
store has is looked through for what looks like such a name, without being opened: whatever else looks so only keeps a text for
longer. (Boehm, Weiser, *Garbage Collection in an Uncooperative Environment*, 1988.)

A process that lives may be about to name what it has saved: that was after it was registered. So only texts are removed that
nobody has saved since the first of them was registered, with a day to spare for clocks. What is needed counts as saved again:
a store is looked through only when there may be something to remove.
"""

from __future__ import annotations

import asyncio
import re

from ..hook.program_version import DIGITS, modules_in
from ..stores.store import Store
from .sources import place_key

SPARE = 24 * 3600.0  # seconds
AT_ONCE = 100  # instances
LARGE = 1 << 20  # bytes: so many are looked through beside the event loop

_NAMES = re.compile(rb"[0-9a-f]{%d,}" % DIGITS)


async def remove_unneeded(store: Store, oldest_since: float) -> int:
    """Remove them; gives how many. ``oldest_since``: when the first of the processes that live was registered."""
    before = oldest_since - SPARE
    if before <= 0 or not await store.has_old_sources(before):
        return 0
    named = await _named_in(store)
    needed = {*named, *map(place_key, named)}
    for name in named:
        needed.update(modules_in(await store.load_source(name) or "").values())
    return await store.remove_sources(before, needed)


async def _named_in(store: Store) -> set[str]:
    found, after = set[str](), ""
    while True:
        blobs, after = await store.load_blobs(after, AT_ONCE)
        if sum(map(len, blobs)) > LARGE:
            found |= await asyncio.to_thread(names_in, blobs)
        else:
            found |= names_in(blobs)
        if not after:
            return found


def names_in(blobs: list[bytes]) -> set[str]:
    """What looks like the name of a text, or of a version."""
    runs = {run for blob in blobs for run in _NAMES.findall(blob)}
    return {run[at : at + DIGITS].decode() for run in runs for at in range(len(run) - DIGITS + 1)}
