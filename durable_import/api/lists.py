"""Lists of the instances in a store; and what is done to all in one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from ..stores.state import CountedBy, InstanceQuery, InstanceSummary, check_counted_by
from ..stores.store import Store

EVERYTHING = InstanceQuery()
Summary: TypeAlias = InstanceSummary


async def count_in(store: Store, query: InstanceQuery, by: CountedBy | None) -> int | dict[str, int]:
    """See ``AsyncClient.count``."""
    check_counted_by(by)
    found = await store.count(query, by)
    return found if by is not None else sum(found.values())


async def for_all(store: Store, query: InstanceQuery, act: Callable[[InstanceSummary], Awaitable[bool]]) -> int:
    """Do something with all instances that fit, page by page; gives for how many it was done."""
    done = 0
    while True:
        page = await store.list(query)
        for summary in page:
            done += await act(summary)
        if page.cursor is None:
            return done
        query = replace(query, cursor=page.cursor)
