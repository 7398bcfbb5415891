"""What a SQLite store does in its database: each function is one piece of work in a transaction."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from durable_import.errors import StoreUnavailableError
from durable_import.stores.base import ANNOUNCED, MIN_ID_AGE, STATE_TYPES, Claim, Event, InstanceSummary, fenced
from durable_import.stores.files import text_of
from durable_import.stores.owner import DEFAULT_LEASE_SECONDS, Lease, Owner
from durable_import.stores.sqlite.connection import queries

COLUMNS = ("status", "checkpoint", "location", "function", "wake_at", "call", "snapshot", "outcome")  # as ``load`` gives them
_COMMIT_AGAIN = queries()["commit_again"]


def load(instance_id: str, connection: sqlite3.Connection) -> dict[str, Any] | None:
    found = connection.execute(queries()["load"], {"instance_id": _column(instance_id)}).fetchone()
    return _state_of(instance_id, found) if found is not None else None


def load_history(instance_id: str, connection: sqlite3.Connection) -> list[dict[str, Any]]:
    found = connection.execute(queries()["load_history"], {"instance_id": _column(instance_id)})
    return [_state_of(instance_id, row) for row in found]


def _state_of(instance_id: str, row: tuple[Any, ...]) -> dict[str, Any]:
    state = dict(zip(COLUMNS, row, strict=True))
    for key, value in state.items():
        kind = STATE_TYPES[key]
        if kind is str and isinstance(value, bytes):
            with suppress(UnicodeDecodeError):  # then it was not ``_column`` that wrote it
                state[key] = value = value.decode("utf-8", "surrogatepass")
        # what was sealed is judged when it is opened
        if kind is not bytes and not isinstance(value, kind):
            raise StoreUnavailableError(
                f"the row of instance {instance_id!r} is damaged: {key!r} is {value!r}. It was left as it is; put a backup "
                f"back, or delete the instance."
            )
    return state


def commit(claim: Claim, state: dict[str, Any], connection: sqlite3.Connection, *, are_segments_kept: bool = False) -> None:
    if not commit_again(claim, state, connection, are_segments_kept=are_segments_kept):
        _commit_row(claim, state, connection)
        if not are_segments_kept:
            connection.execute(queries()["remove_segments"], {"instance_id": _column(claim.instance_id)})


def _commit_row(claim: Claim, state: dict[str, Any], connection: sqlite3.Connection) -> None:
    columns = {key: _column(value) if isinstance(value, str) else value for key, value in state.items()}
    row = {**columns, **_key_of(claim), "now": time.time()}
    if connection.execute(queries()["commit"], row).rowcount == 0:
        raise fenced(claim)
    if state["status"] in ANNOUNCED:
        connection.execute(queries()["announce"])


def commit_again(claim: Claim, state: dict[str, Any], connection: sqlite3.Connection, *, are_segments_kept: bool = False) -> bool:
    """Commit by one statement what is one more checkpoint of an instance, whose segments are kept or which has none; False: it
    is more than that.

    A third of the work of ``commit``: no index is touched.
    """
    if state["status"] in ANNOUNCED:
        return False
    row = {
        **state, "location": _column(state["location"]), "function": _column(state["function"]),
        "instance_id": _column(claim.instance_id), "epoch": claim.epoch, "now": time.time(),
        "are_segments_kept": are_segments_kept,
    }  # fmt: skip
    return connection.execute(_COMMIT_AGAIN, row).rowcount > 0


def commit_at_once(
    claim: Claim,
    state: dict[str, Any],
    segments: Mapping[str, bytes | None] | None,
    is_whole: bool,
    connection: sqlite3.Connection,
) -> bool:
    """``commit`` or ``commit_segments``, as a transaction of its own; the caller rolls back what was not committed."""
    if segments is None:
        return commit_again(claim, state, connection) or at_once(partial(commit, claim, state), connection)
    return at_once(partial(commit_segments, claim, state, segments, is_whole), connection)


def at_once(work: Callable[[sqlite3.Connection], object], connection: sqlite3.Connection) -> bool:
    """Do a piece of work in a transaction of its own."""
    connection.execute("BEGIN IMMEDIATE")
    work(connection)
    connection.execute("COMMIT")
    return True


def commit_segments(
    claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], is_whole: bool, connection: sqlite3.Connection
) -> None:
    commit(claim, state, connection, are_segments_kept=not is_whole)
    instance_id = _column(claim.instance_id)
    put = [(instance_id, key, data) for key, data in segments.items() if data is not None]
    connection.executemany(queries()["put_segment"], put)
    gone = [(instance_id, key) for key, data in segments.items() if data is None]
    connection.executemany(queries()["remove_segment"], gone)


def load_segments(instance_id: str, connection: sqlite3.Connection) -> dict[str, bytes]:
    found = connection.execute(queries()["load_segments"], {"instance_id": _column(instance_id)}).fetchall()
    return {key.decode("utf-8", "surrogateescape"): data for key, data in found}


def acquire(instance_id: str, owner: Owner, lease_seconds: float, connection: sqlite3.Connection) -> Claim:
    key = {"instance_id": _column(instance_id)}
    found = connection.execute(queries()["find_claim"], key).fetchone()
    if found is not None:
        epoch, holder, since, until = found
        Lease.of(epoch, holder, since, until).check_free(instance_id, owner)
    # fetchall: the statement is only done when it is read to its end
    [(epoch,)] = connection.execute(queries()["next_epoch"]).fetchall()
    now = time.time()
    row = {**key, "epoch": epoch, "owner": owner.to_json(), "since": now, "until": now + lease_seconds}
    connection.execute(queries()["take_claim"], row)
    return Claim(instance_id, epoch, load(instance_id, connection))


def is_known(instance_id: str, connection: sqlite3.Connection) -> bool:
    return connection.execute(queries()["is_known"], {"instance_id": _column(instance_id)}).fetchone() is not None


def begin(
    instance_id: str, owner: Owner, lease_seconds: float, new: dict[str, Any] | None, connection: sqlite3.Connection
) -> tuple[Claim, list[Event]]:
    claim = acquire(instance_id, owner, lease_seconds, connection)
    if claim.state is None and new is not None:
        _commit_row(claim, new, connection)
    return claim, load_events(instance_id, connection)


def end(claim: Claim, state: dict[str, Any], keeps: bool, connection: sqlite3.Connection) -> None:
    commit(claim, state, connection, are_segments_kept=keeps)
    if not keeps:
        connection.execute(queries()["delete_events"], {"instance_id": _column(claim.instance_id)})
    release(claim, connection)


def save(instance_id: str, owner: Owner, state: dict[str, Any], connection: sqlite3.Connection) -> None:
    claim = acquire(instance_id, owner, DEFAULT_LEASE_SECONDS, connection)
    commit(claim, state, connection)
    release(claim, connection)


def renew(claims: tuple[Claim, ...], lease_seconds: float, connection: sqlite3.Connection) -> list[Claim]:
    until = time.time() + lease_seconds
    return [
        claim
        for claim in claims
        if connection.execute(queries()["renew_claim"], {**_key_of(claim), "until": until}).rowcount == 0
    ]


def release(claim: Claim, connection: sqlite3.Connection) -> None:
    connection.execute(queries()["release_claim"], _key_of(claim))


def delete(instance_id: str, connection: sqlite3.Connection) -> None:
    for query in ("delete_claim", "delete_instance", "remove_segments", "delete_events", "delete_history"):
        connection.execute(queries()[query], {"instance_id": _column(instance_id)})


def list_instances(connection: sqlite3.Connection) -> list[InstanceSummary]:
    return [
        InstanceSummary(
            instance_id=_text(instance_id),
            status=_text(status),
            checkpoint=checkpoint,
            location=_text(location),
            function=_text(function),
            wake_at=wake_at,
            updated_at=updated_at,
            owner=Owner.from_json(owner) if owner is not None else None,
            lease_until=until,
        )
        for instance_id, status, checkpoint, location, function, wake_at, updated_at, owner, until in connection.execute(
            queries()["list"]
        )
    ]


def publish_event(instance_id: str, name: str, payload: bytes, connection: sqlite3.Connection) -> int:
    row = {"instance_id": _column(instance_id), "name": _column(name), "now": time.time(), "payload": payload}
    [(number,)] = connection.execute(queries()["publish_event"], row).fetchall()
    connection.execute(queries()["announce"])
    return int(number)


def publish_once(instance_id: str, name: str, payload: bytes, event_id: str, connection: sqlite3.Connection) -> bool:
    row = {"event_id": _column(event_id), "now": time.time()}
    if connection.execute(queries()["note_event_id"], row).rowcount == 0:
        return False
    publish_event(instance_id, name, payload, connection)
    return True


def was_published(event_id: str, connection: sqlite3.Connection) -> bool:
    return connection.execute(queries()["find_event_id"], {"event_id": _column(event_id)}).fetchone() is not None


def load_events(instance_id: str, connection: sqlite3.Connection) -> list[Event]:
    found = connection.execute(queries()["load_events"], {"instance_id": _column(instance_id)})
    return [Event(number, _text(name), payload) for number, name, payload in found]


def addressees(connection: sqlite3.Connection) -> list[str]:
    return [_text(instance_id) for (instance_id,) in connection.execute(queries()["addressees"])]


def remove_events(instance_id: str, numbers: tuple[int, ...], connection: sqlite3.Connection) -> None:
    connection.executemany(queries()["remove_event"], [(_column(instance_id), number) for number in numbers])


def last_change(connection: sqlite3.Connection) -> int:
    [(count,)] = connection.execute(queries()["last_change"]).fetchall()
    return int(count)


def find_work(limit: int, orphans: bool, connection: sqlite3.Connection) -> list[str]:
    row = {**_now_and_dead(connection), "limit": limit, "orphans": orphans}
    return [_text(instance_id) for (instance_id,) in connection.execute(queries()["find_work"], row)]


def remove_finished(seconds: float, connection: sqlite3.Connection) -> int:
    row = _now_and_dead(connection)
    found = connection.execute(queries()["find_finished"], {**row, "before": row["now"] - seconds}).fetchall()
    for (instance_id,) in found:
        delete(_text(instance_id), connection)
    connection.execute(queries()["forget_event_ids"], {"before": row["now"] - max(seconds, MIN_ID_AGE)})
    return len(found)


def _now_and_dead(connection: sqlite3.Connection) -> dict[str, Any]:
    """The time, and the owners that certainly do not live though their leases run."""
    now = time.time()
    holders = connection.execute(queries()["holders"], {"now": now})
    return {"now": now, "dead": json.dumps([owner for (owner,) in holders if Owner.from_json(owner).is_dead()])}


def save_source(digest: str, text: str, connection: sqlite3.Connection) -> None:
    connection.execute(queries()["save_source"], {"digest": _column(digest), "text": _column(text)})


def load_source(digest: str, connection: sqlite3.Connection) -> str | None:
    found = connection.execute(queries()["load_source"], {"digest": _column(digest)}).fetchone()
    return _text(found[0]) if found is not None else None


def _key_of(claim: Claim) -> dict[str, Any]:
    return {"instance_id": _column(claim.instance_id), "epoch": claim.epoch}


def _column(text: str) -> str | bytes:
    """Lone surrogates have no place in a TEXT value: such a text is stored as BLOB."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def _text(column: Any) -> Any:
    """What ``_column`` was given; whatever else somebody has put there stays what it is."""
    return text_of(column) if isinstance(column, bytes) else column
