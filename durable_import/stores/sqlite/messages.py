"""Events, and the sources of functions, in an SQLite database: each function is one piece of work in a transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection

from durable_import.stores.sqlite.columns import from_column, query, text_or_none, to_column
from durable_import.stores.state import Event


def publish(instance_id: str, name: str, payload: bytes, event_id: str | None, connection: sqlite3.Connection) -> int | None:
    """The number of the event; None: there was one with this id."""
    column, now = to_column(instance_id), time.time()
    if event_id is not None and connection.execute(query("note_event_id"), (to_column(event_id), now)).rowcount == 0:
        return None
    values = (column, to_column(name), now, payload)
    is_last = connection.execute(query("has_last_number")).fetchone() is not None
    number = connection.execute(query("publish_numbered" if is_last else "publish_event"), values).lastrowid
    connection.execute(query("is_ready"), (now, column))
    return number


def was_published(event_id: str, connection: sqlite3.Connection) -> bool:
    return connection.execute(query("find_event_id"), (to_column(event_id),)).fetchone() is not None


def load_events(instance_id: str, connection: sqlite3.Connection) -> list[Event]:
    found = connection.execute(query("load_events"), (to_column(instance_id),)).fetchall()
    return [
        Event(number, text_or_none(name) or "", payload if isinstance(payload, bytes) else b"") for number, name, payload in found
    ]


def pending(owner: int, since: int, connection: sqlite3.Connection) -> dict[str, int]:
    found = connection.execute(query("pending"), (since, owner))
    return {from_column(instance_id): number for instance_id, number in found}


def remove_events(instance_id: str, numbers: tuple[int, ...], connection: sqlite3.Connection) -> None:
    connection.executemany(query("remove_event"), [(to_column(instance_id), number) for number in numbers])


def data_version(connection: sqlite3.Connection) -> int:
    [(version,)] = connection.execute(query("data_version")).fetchall()
    return int(version)


def save_source(digest: str, text: str, connection: sqlite3.Connection) -> None:
    connection.execute(query("save_source"), (to_column(digest), to_column(text), time.time()))


def need_sources(digests: Collection[str], connection: sqlite3.Connection) -> set[str]:
    now = time.time()
    return {each for each in digests if connection.execute(query("is_needed"), (now, to_column(each))).rowcount}


def has_old_sources(before: float, connection: sqlite3.Connection) -> bool:
    [(has_some,)] = connection.execute(query("has_old_sources"), (before,)).fetchall()
    return bool(has_some)


def remove_sources(before: float, needed: Collection[str], connection: sqlite3.Connection) -> int:
    found = {digest for (digest,) in connection.execute(query("old_sources"), (before,))}
    stay = found & {to_column(each) for each in needed}
    connection.executemany(query("is_needed"), [(time.time(), digest) for digest in stay])
    connection.executemany(query("remove_source"), [(digest,) for digest in found - stay])
    return len(found - stay)


def load_source(digest: str, connection: sqlite3.Connection) -> str | None:
    found = connection.execute(query("load_source"), (to_column(digest),)).fetchone()
    return from_column(found[0]) if found is not None else None
