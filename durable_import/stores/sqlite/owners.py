"""Who owns instances in an SQLite database: a row for each process, which it renews."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Collection

from durable_import.stores.owner import Lease, Owner
from durable_import.stores.sqlite.columns import from_column, number_or, query, to_column
from durable_import.stores.state import DORMANT, FINISHED

OWNED, READY, RESTS, COMPLETED, FAILED, CANCELLED, STUCK, LEFT = range(8)  # shelves
_ENDED = dict(zip(FINISHED, (COMPLETED, FAILED, CANCELLED), strict=True))
BURIED_AT_ONCE = 500  # instances


def id_of(owner: Owner) -> int:
    """The number under which an owner has its row."""
    return int(owner.session or "0", 16) & 0x3FFFFFFFFFFFFFFF


def register(owner: Owner, lease_seconds: float, connection: sqlite3.Connection) -> int:
    """The row of an owner, whose lease runs from now on."""
    number, now = id_of(owner), time.time()
    found = connection.execute(query("find_owner"), (number,)).fetchone()
    if found is not None and found[3]:  # somebody has taken this process for dead: it begins anew
        while not bury([number], connection):
            pass
        found = None
    if found is None:
        connection.execute(query("forget_idle_owners"), (now,))
    if found is None or number_or(found[2], 0.0) < now + lease_seconds * 2 / 3:
        connection.execute(query("put_owner"), (number, to_column(owner.to_json()), now, now + lease_seconds, lease_seconds))
    return number


def check_free(instance_id: str, holder: int, newcomer: Owner, connection: sqlite3.Connection) -> None:
    """Raise InstanceBusyError if an instance is owned by another one that may be alive; else declare that one dead."""
    found = connection.execute(query("find_owner"), (holder,)).fetchone()
    if found is None or found[3] or holder == id_of(newcomer):
        return
    Lease.of(0, from_column(found[0]), found[1], found[2]).check_free(instance_id, newcomer)
    connection.execute(query("declare_dead"), (holder,))


def renew(owners: Collection[int], lease_seconds: float, connection: sqlite3.Connection) -> set[int]:
    """Let the leases of owners run for so long; gives those that were taken for dead."""
    until = time.time() + lease_seconds
    return {owner for owner in owners if connection.execute(query("renew"), (until, owner)).rowcount == 0}


def dead_owners(asking: int, connection: sqlite3.Connection) -> list[int]:
    """Those whose lease has run out, or whose process certainly is gone, or that were declared so. Who asks is alive."""
    now = time.time()
    return [
        number
        for number, who, until, is_dead in connection.execute(query("owners")).fetchall()
        if is_dead or (number != asking and (number_or(until, 0.0) <= now or Owner.from_json(from_column(who)).is_dead()))
    ]


def bury(owners: list[int], connection: sqlite3.Connection) -> bool:
    """Let go of what dead owners have, a part at a time; gives whether that is all."""
    left = BURIED_AT_ONCE
    for owner in owners:
        found = connection.execute(query("owned_by"), (owner, left)).fetchall()
        for number, instance_id, status, wake_at, updated_at in found:
            connection.execute(query("bury"), (number,))
            shelve(number, instance_id, status, wake_at, updated_at, connection)
        left -= len(found)
        connection.execute(query("forget_owner"), (owner,))
        if left <= 0:
            return False
    return True


def shelve(
    number: int, column: str | bytes, status: str, wake_at: float | None, updated_at: float, connection: sqlite3.Connection
) -> None:
    """Put an instance that nobody owns where it is looked for; one that has no state yet is forgotten."""
    if status == "":
        for name in ("delete_instance", "delete_state", "delete_call"):
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
