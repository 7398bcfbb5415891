"""How many instances there are: asked for no more often than a small part of the time allows."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field

from ..api.client import AsyncClient
from ..stores.state import CountedBy, InstanceQuery

SHARE = 20  # counting takes at most this part of the time
_KEPT = 100  # counts, of different queries


@dataclass(frozen=True)
class _Counted:
    counts: dict[str, int]
    until: float


@dataclass(frozen=True)
class Counts:
    """Counts of a client's instances. Those of a store where counting takes long may be a little old."""

    client: AsyncClient
    _known: OrderedDict[tuple[InstanceQuery, CountedBy], _Counted] = field(default_factory=OrderedDict)

    async def count(self, query: InstanceQuery, by: CountedBy) -> dict[str, int]:
        """See ``AsyncClient.count``."""
        known = self._known.get((query, by))
        began = time.monotonic()
        if known is not None and began < known.until:
            return known.counts
        counts = await self.client.count(query, by=by)
        now = time.monotonic()
        self._known[query, by] = _Counted(counts, now + SHARE * (now - began))
        self._known.move_to_end((query, by))
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return counts
