"""Who owns instances in an SQLite database: a row for each process, which it renews."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from durable_import.stores.owner import UNKNOWN, Owner, refusal
from durable_import.stores.sqlite.columns import from_column, number_or, query, to_column
from durable_import.stores.state import DORMANT, FINISHED, OwnerRow, owner_lost

OWNED, READY, RESTS, COMPLETED, FAILED, CANCELLED, STUCK, LEFT, AGAIN = range(9)  # shelves
_ENDED = dict(zip(FINISHED, (COMPLETED, FAILED, CANCELLED), strict=True))


def register(who: Owner, lease: float, connection: sqlite3.Connection) -> int:
    """The row of an owner that is new, or that has lost the answer before."""
    number, now = int(who.session or "0", 16) & 0x3FFFFFFFFFFFFFFF, time.time()
    connection.execute(query("forget_idle_owners"), (now,))
    connection.execute(query("put_owner"), (number, to_column(who.to_json()), now, now + lease, lease))
    return number


def renew(owner: int, old: int, new: int, lease: float, connection: sqlite3.Connection) -> bool:
    """See ``store.Store``; as for all that follows."""
    return connection.execute(query("renew"), (new, time.time() + lease, lease, owner, old)).rowcount > 0


def rows(connection: sqlite3.Connection) -> list[OwnerRow]:
    """What is damaged has a blank value: an owner of whom nothing is known, whose lease has run out. One whose row is missing is
    dead."""
    missing = connection.execute(query("missing_owners")).fetchall()
    return [OwnerRow(number, UNKNOWN, 0, 0.0, 0.0, True) for (number,) in missing] + [
        OwnerRow(
            number,
            Owner.from_json(from_column(who)),
            beat if type(beat) is int else 0,
            number_or(lease, 0.0),
            number_or(until, 0.0),
            bool(is_dead),
            number_or(since, 0.0),
        )
        for number, who, beat, lease, until, is_dead, since in connection.execute(query("owners"))
    ]


def bury(owner: int, beat: int, limit: int, connection: sqlite3.Connection) -> int:
    is_known = connection.execute(query("find_owner"), (owner,)).fetchone() is not None
    if is_known and connection.execute(query("declare_dead"), (owner, beat)).rowcount == 0:
        return 0
    found = connection.execute(query("owned_by"), (owner, limit)).fetchall()
    for number, *facts in found:
        connection.execute(query("bury"), (number,))
        _let_go(number, facts, connection)
    if len(found) < limit:
        connection.execute(query("forget_owner"), (owner,))
    return len(found)


def retire(owner: int, limit: int, connection: sqlite3.Connection) -> int:
    """Gives how many were freed; 0: all are."""
    connection.execute(query("retire"), (owner,))
    found = connection.execute(query("owned_by"), (owner, limit)).fetchall()
    for number, *facts in found:
        connection.execute(query("let_go"), (number,))
        _let_go(number, facts, connection)
    connection.execute(query("forget_owner"), (owner,))
    return len(found)


def _let_go(number: int, facts: list[Any], connection: sqlite3.Connection) -> None:
    *others, status, wake_at, updated_at, error = facts
    if status == "failed" and error is not None:  # it was not tried again yet
        connection.execute(query("set_aside"), (READY, time.time(), number))
    else:
        shelve(number, others[0], status, wake_at, updated_at, connection)


def check_owner(owner: int, connection: sqlite3.Connection) -> None:
    """Raise FencedError for one that somebody has taken for dead."""
    found = connection.execute(query("find_owner"), (owner,)).fetchone()
    if found is None or found[3]:
        raise owner_lost(owner)


def check_free(instance_id: str, holder: int, owner: int, connection: sqlite3.Connection) -> None:
    """Raise InstanceBusyError if an instance has another owner that nobody has taken for dead."""
    found = connection.execute(query("find_owner"), (holder,)).fetchone()
    if found is None or found[3] or holder == owner:
        return
    who, since, until, _ = found
    raise refusal(instance_id, Owner.from_json(from_column(who)), number_or(since, 0.0), number_or(until, 0.0), holder)


def shelve(
    number: int, column: str | bytes, status: str, wake_at: float | None, updated_at: float, connection: sqlite3.Connection
) -> None:
    """Put an instance that nobody owns where it is looked for; one that has no state yet is forgotten."""
    if status == "":
        for name in ("delete_instance", "delete_state", "delete_call", "delete_tags", "delete_before", "delete_keys"):
            connection.execute(query(name), (number,))
        return
    shelf, due, ended_at = LEFT, updated_at, None
    if status in DORMANT:
        [(first_event,)] = connection.execute(query("first_event"), (column,)).fetchall()
        shelf, due = (RESTS, wake_at) if first_event is None else (READY, first_event)  # type: ignore[assignment]
    elif status in _ENDED:
        [(ended_at,)] = connection.execute(query("ended_at"), (number,)).fetchall() or [(None,)]
        shelf, ended_at = _ENDED[status], ended_at if ended_at is not None else updated_at
    connection.execute(query("shelve"), (shelf, due, ended_at, number))


def shelf_of(status: str) -> int:
    """Of an instance that has ended."""
    return _ENDED[status]
