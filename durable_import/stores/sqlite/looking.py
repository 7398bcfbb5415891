"""What is asked of the instances in an SQLite database: each function is one piece of work in a transaction."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Collection
from typing import Any

from durable_import.stores.base import MIN_ID_AGE
from durable_import.stores.listing import read_cursor
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite.columns import (
    count_of,
    from_column,
    hold_of,
    number_or,
    query,
    text_or_none,
    to_column,
    to_kept,
)
from durable_import.stores.sqlite.lives import delete
from durable_import.stores.sqlite.owners import AGAIN, CANCELLED, COMPLETED, FAILED, LEFT, OWNED, READY, RESTS, STUCK
from durable_import.stores.state import (
    ABANDONED,
    ANSWER_TO,
    DORMANT,
    FINISHED,
    InstanceQuery,
    InstanceState,
    InstanceSummary,
    Page,
)
from durable_import.stores.store import Kept
from durable_import.tags import facts_of

NEAR = 1000  # instances
_LIVE = (*ABANDONED, *DORMANT)
_TAKEN = (
    "number IN (SELECT number FROM durable_instance INDEXED BY durable_instance_taken WHERE shelf = 0 AND ended_at IS NOT NULL)"
)
OWNED_AS = """number IN (
    WITH RECURSIVE each_owner (id) AS (
        SELECT min(owner) FROM durable_state WHERE owner IS NOT NULL
        UNION ALL
        SELECT (SELECT min(owner) FROM durable_state WHERE owner > each_owner.id) FROM each_owner WHERE each_owner.id IS NOT NULL
    )
    SELECT number FROM each_owner CROSS JOIN durable_state INDEXED BY durable_state_owner ON owner = id WHERE status = ?
)"""
_BEYOND = "\U0010ffff" * 8  # behind all texts with the same beginning
_SHELVES = {  # where an instance of a status may stand: what somebody owns, or is to be tried again, is of any
    **dict.fromkeys(ABANDONED, (OWNED, READY, LEFT, AGAIN)), **dict.fromkeys(DORMANT, (OWNED, READY, RESTS, AGAIN)),
    "completed": (OWNED, COMPLETED), "failed": (OWNED, READY, FAILED, AGAIN), "cancelled": (OWNED, CANCELLED), "stuck": (STUCK,),
}  # fmt: skip


def load(instance_id: str, connection: sqlite3.Connection) -> Kept | None:
    found = connection.execute(query("load"), (to_column(instance_id),)).fetchone()
    return to_kept(instance_id, found) if found is not None else None


def load_history(instance_id: str, connection: sqlite3.Connection, seconds: float | None = None) -> list[InstanceState]:
    """``seconds``: since another one has taken the place of a state."""
    oldest = time.time() - seconds if seconds is not None else 0.0
    found = connection.execute(query("load_history"), (to_column(instance_id), oldest)).fetchall()
    present = load(instance_id, connection)
    past = [to_kept(instance_id, row).state for row in found if present is None or row[1] < present.state.checkpoint]
    return [*past, *([present.state] if present is not None else [])]


def load_past_segments(instance_id: str, checkpoint: int, connection: sqlite3.Connection) -> dict[str, bytes]:
    values = {"instance_id": to_column(instance_id), "checkpoint": checkpoint}
    found = connection.execute(query("load_past_segments"), values).fetchall()
    return {key.decode("utf-8", "surrogateescape"): data for key, data in found}


def load_before(instance_id: str, connection: sqlite3.Connection) -> bytes | None:
    found = connection.execute(query("load_before"), (to_column(instance_id),)).fetchone()
    return bytes(found[0]) if found is not None else None


def load_blobs(after: str, limit: int, connection: sqlite3.Connection) -> tuple[list[bytes], str]:
    first = int(after or "-9223372036854775808")
    [(last,)] = connection.execute(query("page_of_states"), (first, limit)).fetchall()
    if last is None:
        return [], ""
    return [data for (data,) in connection.execute(query("blobs"), {"after": first, "last": last})], str(last)


def load_segments(instance_id: str, names: Collection[str] | None, connection: sqlite3.Connection) -> dict[str, bytes]:
    if names is None:
        found = connection.execute(query("load_segments"), (to_column(instance_id),)).fetchall()
    else:
        asked, text = [(to_column(instance_id), to_column(name)) for name in names], query("load_segment")
        found = [row for one in asked for row in connection.execute(text, one)]
    return {key.decode("utf-8", "surrogateescape"): data for key, data in found}


def remove(instance_id: str, connection: sqlite3.Connection) -> None:
    """Delete an instance, or the events for one that is not there."""
    found = connection.execute(query("number_of"), (to_column(instance_id),)).fetchone()
    if found is None:
        connection.execute(query("delete_events"), (to_column(instance_id),))
    else:
        delete(found[0], instance_id, connection)


def summary(instance_id: str, connection: sqlite3.Connection) -> InstanceSummary | None:
    found = connection.execute(f"{query('summary')} AND instance_id = ?", (to_column(instance_id),)).fetchone()
    return _summary_of(found, connection) if found is not None else None


def list_page(asked: InstanceQuery, connection: sqlite3.Connection) -> Page:
    """See ``store.Store.list``; each kind of question has an index. What has a status may stand on several shelves."""
    shelves = _SHELVES.get(asked.status, ()) if asked.status is not None else (None,)
    found = [row for shelf in shelves for row in _first(asked, shelf, connection)]
    found.sort(key=_place, reverse=asked.order == "newest")
    page = found[: asked.limit]
    cursor = json.dumps(_place(page[-1])) if page and len(found) > len(page) else None
    return Page([_summary_of(row, connection) for row in page], cursor)


def _first(asked: InstanceQuery, shelf: int | None, connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    """The rows of a page and one more, as far as they are on a shelf."""
    beyond, direction = ("<", "DESC") if asked.order == "newest" else (">", "ASC")
    order = f"ORDER BY created_at {direction}, number {direction} LIMIT ?"
    terms, values = terms_of(asked, shelf, beyond)
    is_owned_as = shelf == OWNED and asked.status in _LIVE
    if is_owned_as or (asked.prefix and _is_common(asked.prefix, connection)):
        # not all need to be sorted: the page is near the end of the list
        bounds, of_bounds = terms_of(InstanceQuery(since=asked.since, cursor=asked.cursor), None, beyond)
        bounds = [f"shelf = {OWNED}" if is_owned_as else "true", *bounds]
        near = f"number IN (SELECT number FROM durable_instance WHERE {' AND '.join(bounds)} {order})"
        text = f"{' AND '.join([query('summary'), near, *terms])} {order}"
        near_by = 4 * (asked.limit + 1) if is_owned_as else NEAR
        rows = connection.execute(text, (*of_bounds, near_by, *values, asked.limit + 1)).fetchall()
        if len(rows) > asked.limit:
            return rows
    if is_owned_as:
        terms, values = [*terms, OWNED_AS], [*values, asked.status]
    text = f"{' AND '.join([query('summary'), *terms])} {order}"
    return connection.execute(text, (*values, asked.limit + 1)).fetchall()


def _is_common(prefix: str, connection: sqlite3.Connection) -> bool:
    [term], values = terms_of(InstanceQuery(prefix=prefix), None, "")
    found = connection.execute(f"SELECT count(*) FROM (SELECT 1 FROM durable_instance WHERE {term} LIMIT ?)", (*values, NEAR))
    [(count,)] = found.fetchall()
    return bool(count == NEAR)


def _place(row: tuple[Any, ...]) -> tuple[float, int]:
    """Where a row of ``summary`` stands in a list."""
    return number_or(row[9], math.inf), row[11]


def terms_of(asked: InstanceQuery, shelf: int | None, beyond: str) -> tuple[list[str], list[Any]]:
    """What a query asks for, as terms with their values. ``beyond``: what is behind a cursor."""
    terms, values = list[str](), list[Any]()

    def fits(term: str, *its: Any) -> None:
        terms.append(term)
        values.extend(its)

    if shelf is not None:
        is_narrow = asked.tag is not None or asked.parent is not None  # by an index that finds less than that of shelves
        if shelf == OWNED and asked.status in FINISHED:
            fits(_TAKEN)
        else:
            is_narrow = is_narrow or (shelf == OWNED and asked.status in _LIVE)
            fits("+shelf = ?" if is_narrow else "shelf = ?", shelf)
        if shelf != STUCK:
            fits("status = ?", asked.status)
    if asked.function is not None:
        fits("function = ?", to_column(asked.function))
    if asked.tag is not None:
        fits("number IN (SELECT number FROM durable_tag WHERE name = ? AND value = ?)", *map(to_column, asked.tag))
    if asked.parent is not None:
        fits("parent = ?", to_column(asked.parent))
    if asked.prefix:
        data = asked.prefix.encode("utf-8", "surrogatepass")
        last = data[:-1] + bytes([data[-1] + 1])  # no byte of a text is the last one that there is
        start = to_column(asked.prefix)
        bounds = (start, asked.prefix + _BEYOND, data, last) if isinstance(start, str) else (data, last, data, last)
        fits("(instance_id >= ? AND instance_id < ? OR instance_id >= ? AND instance_id < ?)", *bounds)
    if asked.since:
        fits("created_at >= ?", asked.since)
    if asked.cursor is not None:
        fits(f"(created_at, number) {beyond} (?, ?)", *read_cursor(asked.cursor, int))
    return terms, values


def _summary_of(row: tuple[Any, ...], connection: sqlite3.Connection) -> InstanceSummary:
    instance_id, status, checkpoint, location, function, wake_at, updated_at, owner, until, created_at, parent, *rest = row
    number, attempts, error, hold = rest
    tags = connection.execute(query("tags_of"), (number,)).fetchall()
    return InstanceSummary(
        instance_id=text_or_none(instance_id) or "",
        status=text_or_none(status) or "",
        checkpoint=checkpoint if type(checkpoint) is int else 0,
        location=text_or_none(location) or "",
        function=text_or_none(function) or "",
        wake_at=number_or(wake_at, 0.0) if wake_at is not None else None,
        updated_at=number_or(updated_at, 0.0),
        owner=Owner.from_json(from_column(owner)) if owner is not None else None,
        lease_until=number_or(until, 0.0) if until is not None else None,
        created_at=number_or(created_at, 0.0),
        attempts=count_of(attempts),
        error=text_or_none(error),
        hold=hold_of(hold),
        parent=text_or_none(parent),
        **facts_of((text_or_none(name) or "", text_or_none(value) or "") for name, value in tags),
    )


def remove_finished(seconds: float, connection: sqlite3.Connection) -> int:
    now = time.time()
    found = connection.execute(query("find_finished"), (now - seconds,)).fetchall()
    for number, instance_id in found:
        delete(number, from_column(instance_id), connection)
    connection.execute(query("forget_event_ids"), (now - max(seconds, MIN_ID_AGE),))
    connection.execute(query("forget_answers"), (ANSWER_TO, f"{ANSWER_TO}{_BEYOND}", now - MIN_ID_AGE))
    return len(found)
