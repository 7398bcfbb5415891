"""Instances that an instance has begun: its children, and theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..errors import DurableError, StoreError
from ..stores.state import FINISHED, InstanceQuery, InstanceSummary
from ..stores.store import Store

SHOWN = 100  # children whose ids a summary has


@dataclass(frozen=True)
class InstanceTree:
    """An instance with those that it has begun, the oldest first; ``str`` of it has a line for each."""

    instance: InstanceSummary
    children: tuple[InstanceTree, ...] = ()

    def lines(self, indent: str = "") -> Iterator[str]:
        """The lines of ``str``."""
        found = self.instance
        yield f"{indent}{found.id} {found.status} {found.function}{' (detached)' if found.is_detached else ''}"
        for child in self.children:
            yield from child.lines(f"{indent}  ")

    def __str__(self) -> str:
        return "\n".join(self.lines())


async def children_of(store: Store, instance_id: str) -> list[InstanceSummary]:
    """All of them, the oldest first. Raises DurableError if the store cannot list its instances."""
    query, found = InstanceQuery(parent=instance_id, order="oldest"), list[InstanceSummary]()
    while True:
        page = await store.list(query)
        found += page
        if page.cursor is None:
            return found
        query = replace(query, cursor=page.cursor)


async def tree_of(store: Store, root: InstanceSummary) -> InstanceTree:
    """With all below it; an instance comes once."""
    children, seen, level = dict[str, list[InstanceSummary]](), {root.id}, [root]
    while level:
        for each in level:
            found = [child for child in await children_of(store, each.id) if child.id not in seen]
            seen.update(child.id for child in found)
            children[each.id] = found
        level = [child for each in level for child in children[each.id]]
    return _grown(root, children)


def _grown(root: InstanceSummary, children: dict[str, list[InstanceSummary]]) -> InstanceTree:
    made = dict[str, InstanceTree]()
    order = [root]
    for each in order:
        order += children[each.id]
    for each in reversed(order):  # a tree may be deeper than Python's stack
        made[each.id] = InstanceTree(each, tuple(made[child.id] for child in children[each.id]))
    return made[root.id]


async def with_children(store: Store, summary: InstanceSummary) -> InstanceSummary:
    """With the ids of the first of them; none where the store cannot list its instances."""
    try:
        page = await store.list(InstanceQuery(parent=summary.id, order="oldest", limit=SHOWN))
    except DurableError as error:
        if isinstance(error, StoreError):
            raise
        return summary
    return replace(summary, children=tuple(child.id for child in page))


async def to_cancel(store: Store, instance_id: str) -> list[str]:
    """The ids of those that end when it is cancelled. None of a store that cannot list its instances."""
    try:
        children = await children_of(store, instance_id)
    except DurableError as error:
        if isinstance(error, StoreError):
            raise
        return []
    return [child.id for child in children if child.status not in FINISHED and not child.is_detached]
