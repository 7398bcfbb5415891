"""What is asked of the instances in a PostgreSQL database: each function is one work, in rounds."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from durable_import.stores.base import MIN_ID_AGE
from durable_import.stores.listing import read_cursor
from durable_import.stores.postgres.columns import (
    AGAIN,
    CANCELLED,
    COMPLETED,
    FAILED,
    LEFT,
    OWNED,
    READY,
    RESTS,
    STUCK,
    from_column,
    hold_of,
    row_key,
    text_or_none,
    to_column,
    to_kept,
    to_owner,
)
from durable_import.stores.postgres.pipeline import Rounds, Statement
from durable_import.stores.state import (
    ABANDONED,
    ANSWER_TO,
    DORMANT,
    FINISHED,
    CountedBy,
    InstanceQuery,
    InstanceState,
    InstanceSummary,
    Page,
)
from durable_import.stores.store import Kept
from durable_import.tags import facts_of

REMOVED_AT_ONCE = 500  # instances
MUCH = 256 * 1024 * 1024  # bytes of tables: in smaller ones nobody minds dead rows
_SHELVES = {  # where an instance of a status may stand: what somebody owns, or is to be tried again, is of any
    **dict.fromkeys(ABANDONED, (OWNED, READY, LEFT, AGAIN)), **dict.fromkeys(DORMANT, (OWNED, READY, RESTS, AGAIN)),
    "completed": (OWNED, COMPLETED), "failed": (OWNED, READY, FAILED, AGAIN), "cancelled": (OWNED, CANCELLED), "stuck": (STUCK,),
}  # fmt: skip
_TELLING = (COMPLETED, FAILED, CANCELLED, STUCK)
LEAST_NEAR = 250  # instances
_INDEXED = 64  # characters of an id that are in an index
_LAST = "\U0010ffff"  # behind all texts with the same beginning


def bloat(schema: str) -> Rounds[str]:
    """See ``base.BloatedStore``."""
    [found] = yield [("room", {"schema": schema})]
    [room] = found.fetchall()
    return told_of_room(*room)


def told_of_room(live: int, dead: int, size: int) -> str:
    """What is to be said of so many rows, those that were, and bytes."""
    if size <= MUCH or dead <= live:
        return ""
    return (
        f"of the rows in the tables {dead:,} are dead and {live:,} live, in {size:,} bytes: autovacuum is off, or a transaction "
        "that is open for long keeps it from clearing them (pg_stat_activity); end that one, then VACUUM"
    )


def load(instance_id: str) -> Rounds[Kept | None]:
    [found] = yield [("load", {"key": row_key(instance_id)})]
    for row in found.fetchall():
        return to_kept(row)
    return None


def load_segments(instance_id: str, names: Collection[str] | None) -> Rounds[dict[str, bytes]]:
    row: dict[str, Any] = {"key": row_key(instance_id)}
    if names is None:
        [found] = yield [("load_segments", row)]
    else:
        [found] = yield [("load_some_segments", {**row, "names": [to_column(name) for name in names]})]
    return {from_column(name): data for name, data in found.fetchall()}


def remove(instance_id: str) -> Rounds[None]:
    """Delete an instance, or the events for one that is not there."""
    key = row_key(instance_id)
    yield [("lock", {"key": key}), ("delete", {"keys": [key]})]


def summary(instance_id: str) -> Rounds[InstanceSummary | None]:
    [found] = yield [("summary_of", {"key": row_key(instance_id)})]
    for row in found.fetchall():
        return _summary_of(row)
    return None


def list_page(asked: InstanceQuery) -> Rounds[Page]:
    """See ``store.Store.list``; each kind of question has an index. What has a status may stand on several shelves."""
    shelves: Sequence[int | None] = _SHELVES.get(asked.status, ()) if asked.status is not None else (None,)
    if asked.status in (*ABANDONED, *DORMANT):  # the first shelf is of all that is owned: most may do something else
        answers = yield [
            _statement("list", asked, OWNED, "near"),
            *(_statement("list", asked, shelf) for shelf in shelves[1:]),
            _statement("near", asked, OWNED, "near"),
        ]
        *found, [[near]] = [answer.fetchall() for answer in answers]
        if near == _near(asked) and len(found[0]) <= asked.limit:
            [owned] = yield [_statement("list", asked, OWNED, "owned")]
            found[0] = owned.fetchall()
    else:
        statements = [_statement("list", asked, shelf) for shelf in shelves]
        found = [answer.fetchall() for answer in ((yield statements) if statements else [])]
    rows = sorted((row for each in found for row in each), key=_place, reverse=asked.order == "newest")
    page = rows[: asked.limit]
    cursor = json.dumps([page[-1][10], page[-1][11].hex()]) if page and len(rows) > len(page) else None
    return Page([_summary_of(row) for row in page], cursor)


def _statement(what: str, asked: InstanceQuery, shelf: int | None, how: str | None = None) -> Statement:
    terms, values = _terms(asked, shelf)
    if how is not None:
        terms.append(how)
    return f"{what} {asked.order} {' '.join(terms)}", {**values, "limit": asked.limit + 1, "near": _near(asked)}


def _near(asked: InstanceQuery) -> int:
    """How many of those that are owned are looked at first."""
    return max(4 * (asked.limit + 1), LEAST_NEAR)


def count(asked: InstanceQuery, by: CountedBy | None) -> Rounds[dict[str, int]]:
    """See ``store.Store.count``."""
    terms, values = _terms(replace(asked, status=None, cursor=None), None)
    if asked.status is not None:
        terms.append("shown")
        values["status"] = asked.status
    [found] = yield [(f"count {by or 'all'} {' '.join(terms)}", values)]
    return {from_column(name): number for name, number in found.fetchall()}


def _place(row: tuple[Any, ...]) -> tuple[float, bytes]:
    """Where a row of ``summary`` stands in a list."""
    return row[10], row[11]


def _terms(asked: InstanceQuery, shelf: int | None) -> tuple[list[str], dict[str, Any]]:
    """The names of the conditions (``columns.LIST_TERMS``), and their values."""
    terms, values = list[str](), dict[str, Any]()
    if shelf is not None:
        terms.append("taken" if shelf == OWNED and asked.status in FINISHED else "shelf")
        values["shelf"] = shelf
        if shelf not in _TELLING:  # there the status is known, and needs no other table
            terms.append("status")
            values["status"] = asked.status
    if asked.function is not None:
        terms.append("function")
        values["function"] = to_column(asked.function)
    if asked.tag is not None:
        terms.append("tag")
        values["tag"], values["value"] = map(to_column, asked.tag)
    if asked.parent is not None:
        terms.append("parent")
        values["parent"] = to_column(asked.parent)
    if asked.prefix:
        terms.append("prefix")
        prefix = to_column(asked.prefix)
        values.update(prefix=prefix, first=prefix[:_INDEXED], last=prefix[:_INDEXED] + _LAST)
    if asked.since:
        terms.append("since")
        values["since"] = asked.since
    if asked.cursor is not None:
        at, key = read_cursor(asked.cursor, str)
        terms.append("before" if asked.order == "newest" else "behind")
        values.update(at=at, key=_key_in(asked.cursor, key))
    return terms, values


def _key_in(cursor: str, key: str) -> bytes:
    try:
        return bytes.fromhex(key)
    except ValueError as error:
        raise ValueError(f"{cursor!r} is no cursor: give that of the page before") from error


def _summary_of(row: tuple[Any, ...]) -> InstanceSummary:
    instance_id, status, checkpoint, location, function, wake_at, updated_at, owner, who, until, created_at, _, *others = row
    parent, attempts, error, hold, names, values = others
    return InstanceSummary(
        instance_id=from_column(instance_id),
        status=from_column(status),
        checkpoint=checkpoint,
        location=from_column(location),
        function=from_column(function),
        wake_at=wake_at,
        updated_at=updated_at,
        owner=to_owner(who) if owner is not None else None,
        lease_until=until,
        created_at=created_at,
        attempts=attempts,
        error=text_or_none(error),
        hold=hold_of(hold),
        parent=text_or_none(parent),
        **facts_of((from_column(name), from_column(value)) for name, value in zip(names, values, strict=True)),
    )


def load_history(instance_id: str, seconds: float | None) -> Rounds[list[InstanceState]]:
    """``seconds``: since another one has taken the place of a state."""
    row = {"key": row_key(instance_id), "seconds": seconds}
    found, present = yield [("load_history", row), ("load", row)]
    now = [to_kept(each).state for each in present.fetchall()]
    past = [to_kept(each).state for each in found.fetchall()]
    return [*(each for each in past if not now or each.checkpoint < now[0].checkpoint), *now]


def load_past_segments(instance_id: str, checkpoint: int) -> Rounds[dict[str, bytes]]:
    [found] = yield [("load_past_segments", {"key": row_key(instance_id), "checkpoint": checkpoint})]
    return {from_column(name): bytes(data) for name, data in found.fetchall()}


def load_before(instance_id: str) -> Rounds[bytes | None]:
    [found] = yield [("load_before", {"key": row_key(instance_id)})]
    return next((bytes(data) for (data,) in found.fetchall()), None)


def load_blobs(after: str, limit: int) -> Rounds[tuple[list[bytes], str]]:
    [page] = yield [("page_of_states", {"after": bytes.fromhex(after), "limit": limit})]
    keys = [key for (key,) in page.fetchall()]
    if not keys:
        return [], ""
    [found] = yield [("blobs", {"keys": keys})]
    return [bytes(data) for (data,) in found.fetchall()], keys[-1].hex()


def remove_finished(seconds: float) -> Rounds[int]:
    removed: int = 0
    row = {"seconds": seconds, "limit": REMOVED_AT_ONCE}
    yield [("forget_event_ids", {"seconds": max(seconds, MIN_ID_AGE)})]
    yield [("forget_answers", {"seconds": MIN_ID_AGE, "prefix": ANSWER_TO})]
    while True:
        [found] = yield [("find_finished", row)]
        keys = [key for (key,) in found.fetchall()]
        if keys:
            gone, _ = yield [("remove_finished", {**row, "keys": keys}), ("remove_rests", {"keys": keys})]
            removed += gone.rowcount
        if len(keys) < REMOVED_AT_ONCE or gone.rowcount == 0:
            return removed
