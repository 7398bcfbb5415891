"""Which instances have something to do, for stores that go through all of them; SQL stores say the same in a query."""

from __future__ import annotations

import functools
import heapq
import time
from collections.abc import Callable, Iterable

from durable_import.stores.base import ABANDONED, DORMANT, FINISHED, InstanceSummary
from durable_import.stores.owner import Owner


def find_work(found: Iterable[tuple[InstanceSummary, float | None]], limit: int, *, orphans: bool) -> list[str]:
    """See ``base.WorkStore``. Each summary comes with the time of the instance's first event, None without one."""
    now = time.time()
    is_dead = functools.cache(Owner.is_dead)  # asks the system
    waiting = []
    for summary, published_at in found:
        since = _idle_since(summary, published_at, now, orphans)
        if since is not None and not _is_owned(summary, now, is_dead):
            waiting.append((since, summary.instance_id))
    return [instance_id for _, instance_id in heapq.nsmallest(limit, waiting)]


def find_finished(found: Iterable[InstanceSummary], seconds: float) -> list[str]:
    """Ids of those that have been finished for ``seconds`` and that nobody owns."""
    now = time.time()
    is_dead = functools.cache(Owner.is_dead)
    return [
        each.instance_id
        for each in found
        if each.status in FINISHED and each.updated_at <= now - seconds and not _is_owned(each, now, is_dead)
    ]


def _idle_since(summary: InstanceSummary, published_at: float | None, now: float, orphans: bool) -> float | None:
    """Since when somebody could have taken the instance up; None when there is nothing to do."""
    if summary.status in DORMANT:
        due = summary.wake_at if summary.wake_at is not None and summary.wake_at <= now else None
        return min((moment for moment in (due, published_at) if moment is not None), default=None)
    return summary.updated_at if orphans and summary.status in ABANDONED else None


def _is_owned(summary: InstanceSummary, now: float, is_dead: Callable[[Owner], bool]) -> bool:
    if summary.owner is None or summary.lease_until is None:
        return False
    return summary.lease_until > now and not is_dead(summary.owner)
