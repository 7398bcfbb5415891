"""Events, and the sources of functions, in a PostgreSQL database: each function is one work, in rounds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from durable_import.stores.postgres.columns import from_column, row_key, to_column
from durable_import.stores.postgres.pipeline import Cursor, Rounds
from durable_import.stores.state import Event, check_size


class Published(NamedTuple):
    """``number`` of the event; None: there was one with this id. ``owner``: who has the instance, and is to be told."""

    number: int | None
    owner: int | None


def publish(instance_id: str, name: str, payload: bytes, event_id: str | None) -> Rounds[Published]:
    check_size(instance_id, "an event", len(payload))
    key = row_key(instance_id)
    row = {"key": key, "instance_id": to_column(instance_id), "name": to_column(name), "payload": payload}
    once = {**row, "event_id": to_column(event_id)} if event_id is not None else None
    statement = ("publish_once", once) if once is not None else ("publish", row)
    published, _, _, found = yield [statement, ("lock", row), ("is_ready", row), ("owner_of", row)]
    number, owner = (next((value for (value,) in its.fetchall()), None) for its in (published, found))
    return Published(number, owner)


def was_published(event_id: str) -> Rounds[bool]:
    [found] = yield [("find_event_id", {"event_id": to_column(event_id)})]
    return found.rowcount > 0


def load_events(instance_id: str) -> Rounds[list[Event]]:
    [found] = yield [("load_events", {"key": row_key(instance_id)})]
    return events_of(found)


def events_of(found: Cursor) -> list[Event]:
    return [Event(number, from_column(name), payload) for number, name, payload in found.fetchall()]


def remove_events(instance_id: str, numbers: Iterable[int]) -> Rounds[None]:
    yield [("remove_events", {"key": row_key(instance_id), "numbers": list(numbers)})]


def pending(owner: int, since: int) -> Rounds[dict[str, int]]:
    [found] = yield [("pending", {"owner": owner, "since": since})]
    return {from_column(instance_id): number for instance_id, number in found.fetchall()}


def save_source(digest: str, text: str) -> Rounds[None]:
    yield [("save_source", {"key": row_key(digest), "text": to_column(text)})]


def need_sources(digests: Collection[str]) -> Rounds[set[str]]:
    keys = {row_key(each): each for each in digests}
    [found] = yield [("need_sources", {"keys": sorted(keys)})]
    return {keys[bytes(key)] for (key,) in found.fetchall()}


def has_old_sources(before: float) -> Rounds[bool]:
    [found] = yield [("has_old_sources", {"before": before})]
    return any(has_some for (has_some,) in found.fetchall())


def remove_sources(before: float, needed: Collection[str]) -> Rounds[int]:
    row = {"before": before, "keys": [row_key(each) for each in needed]}
    _, gone = yield [("needed_sources", row), ("remove_sources", row)]
    return gone.rowcount


def load_source(digest: str) -> Rounds[str | None]:
    [found] = yield [("load_source", {"key": row_key(digest)})]
    for (text,) in found.fetchall():
        return from_column(text)
    return None
