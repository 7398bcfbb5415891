"""Lists of the instances in a store, for a process that has none of their code, nor their key."""

from __future__ import annotations

from typing import TypeAlias

from ..stores.state import InstanceQuery, InstanceSummary
from ..stores.url import full_store, open_store

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
    opened = full_store(open_store(store))
    try:
        instances, cursor = await opened.list(query)
        return instances, cursor is not None
    finally:
        await opened.close()


async def look_at_instance(store: str, instance_id: str) -> InstanceSummary | None:
    """An instance in the store of this URL, if it is there. Raises DurableError."""
    opened = full_store(open_store(store))
    try:
        return await opened.summary(instance_id)
    finally:
        await opened.close()
