"""Pages of lists, for stores that go through all instances; SQL stores say the same in a query."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

from durable_import.stores.state import CountedBy, InstanceQuery, InstanceSummary, Page

T = TypeVar("T")


def page_of(found: Iterable[InstanceSummary], query: InstanceQuery) -> Page:
    """Those of the instances that a query asks for. Raises ValueError for a cursor that no page has given."""
    is_newest = query.order == "newest"
    wanted = sorted((each for each in found if _fits(each, query)), key=_place, reverse=is_newest)
    if query.cursor is not None:
        after = read_cursor(query.cursor, str)
        wanted = [each for each in wanted if (_place(each) < after if is_newest else _place(each) > after)]
    page = wanted[: query.limit]
    return Page(page, json.dumps(_place(page[-1])) if page and len(page) < len(wanted) else None)


def count_of(found: Iterable[InstanceSummary], query: InstanceQuery, by: CountedBy | None) -> dict[str, int]:
    """How many fit, by what each has there."""
    return dict(Counter("" if by is None else getattr(each, by) for each in found if _fits(each, query)))


def _fits(summary: InstanceSummary, query: InstanceQuery) -> bool:
    return (
        (query.status is None or summary.status == query.status)
        and (query.function is None or summary.function == query.function)
        and (query.tag is None or summary.tags.get(query.tag[0]) == query.tag[1])
        and (query.parent is None or summary.parent == query.parent)
        and summary.instance_id.startswith(query.prefix)
        and _moment(summary) >= query.since
    )


def _place(summary: InstanceSummary) -> tuple[float, str]:
    return _moment(summary), summary.instance_id


def _moment(summary: InstanceSummary) -> float:
    return summary.created_at or summary.updated_at


def read_cursor(cursor: str, kind: type[T]) -> tuple[float, T]:
    """Where a page ended: the time, and what tells instances of one time apart. Raises ValueError for what is none."""
    try:
        at, last = json.loads(cursor)
        if not isinstance(last, kind):
            raise TypeError(last)
        return float(at), last
    except (ValueError, TypeError) as error:
        raise ValueError(f"{cursor!r} is no cursor: give that of the page before") from error
