"""Lists of the instances in a store, for a process that has none of their code, nor their key; and what is done to all in one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeAlias

from ..stores.state import CountedBy, InstanceQuery, InstanceSummary, check_counted_by
from ..stores.store import Store
from ..stores.url import check_there, full_store, open_store

EVERYTHING = InstanceQuery()
Summary: TypeAlias = InstanceSummary


async def list_instances(
    store: str,
    *,
    status: str | None = None,
    function: str | None = None,
    prefix: str = "",
    tag: tuple[str, str] | None = None,
    parent: str | None = None,
    limit: int = 1000,
) -> tuple[list[InstanceSummary], bool]:
    """Up to ``limit`` instances in the store of this URL, the newest first, and whether there are more. Raises DurableError."""
    query = InstanceQuery(status=status, function=function, prefix=prefix, tag=tag, parent=parent, limit=limit)
    opened = existing_store(store)
    try:
        page = await opened.list(query)
        return page.instances, page.cursor is not None
    finally:
        await opened.close()


def existing_store(url: str) -> Store:
    """The store of a URL. Raises StoreUnavailableError for an embedded one that is not there: none is made to be looked at."""
    opened = open_store(url)
    check_there(opened)
    return full_store(opened)


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
