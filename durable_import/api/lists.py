"""Lists of the instances in a store, for a process that has none of their code, nor their key."""

from __future__ import annotations

from ..stores.state import InstanceQuery, InstanceSummary
from ..stores.url import full_store, open_store


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
    opened = full_store(open_store(store))
    try:
        instances, cursor = await opened.list(query)
        return instances, cursor is not None
    finally:
        await opened.close()
