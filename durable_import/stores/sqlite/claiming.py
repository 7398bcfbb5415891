"""Taking up what nobody owns and has something to do, in an SQLite database: each function is one piece of work."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any

from durable_import.errors import InstanceStuckError, OwnershipError, SnapshotError, StoreError
from durable_import.log import logger
from durable_import.stores.sqlite.columns import count_of, damaged, from_column, number_or, query, text_or_none, to_column
from durable_import.stores.sqlite.lives import Owned, give_up, take
from durable_import.stores.sqlite.owners import check_owner
from durable_import.stores.state import LONGEST_PAUSE, Claim
from durable_import.stores.store import Begun
from durable_import.stores.suspects import Room, Suspects

Candidate = tuple[int, float, Any]  # deaths, since when it is due, the column of its id


def claims_of(owner: int, connection: sqlite3.Connection) -> list[Claim]:
    """All that an owner has."""
    return [Claim(text_or_none(name) or "", *others) for name, *others in connection.execute(query("claims_of"), (owner,))]


def is_work(queues: Sequence[str], orphans: bool, connection: sqlite3.Connection) -> bool:
    """Whether there may be something; it writes nothing."""
    return any(next(rows, None) is not None for rows in _searches(queues, orphans, connection))


def claim(
    owner: int, epoch: int, count: int, queues: Sequence[str], orphans: bool, suspects: Suspects, alone_from: int,
    connection: sqlite3.Connection,
) -> list[tuple[Begun, Owned]]:  # fmt: skip
    """See ``store.Store.claim``."""
    check_owner(owner, connection)
    searches = _searches(queues, orphans, connection)
    found = [each for rows in searches for each in _first(rows, count, suspects.room(alone_from))]
    last, taken = suspects.room(alone_from), list[tuple[Begun, Owned]]()
    for deaths, _, column in sorted(found, key=lambda each: each[:2]):
        if len(taken) == count:
            break
        if last.takes(deaths):
            _take(column, owner, epoch, taken, suspects, connection)
    return taken


def claimed(owner: int, epoch: int, suspects: Suspects, connection: sqlite3.Connection) -> list[tuple[Begun, Owned]]:
    """What a claim has taken whose answer was lost."""
    taken = list[tuple[Begun, Owned]]()
    for (column,) in connection.execute(query("claimed"), (owner, epoch)).fetchall():
        _take(column, owner, epoch, taken, suspects, connection)
    return taken


def _searches(queues: Sequence[str], orphans: bool, connection: sqlite3.Connection) -> Iterator[Iterator[Candidate]]:
    """What is due, on each shelf, the longest waiting first."""
    now = time.time()
    yield _candidates(connection.execute(query("find_due"), (now,)), queues)
    yield _candidates(connection.execute(query("find_again"), (now,)), queues)
    yield _candidates(connection.execute(query("find_out_of_time"), (now + LONGEST_PAUSE,)), queues)
    for queue in queues:
        yield _candidates(connection.execute(query("find_ready"), (to_column(queue),)), queues)
    if orphans:
        yield _candidates(connection.execute(query("find_left")), queues)


def _candidates(rows: sqlite3.Cursor, queues: Sequence[str]) -> Iterator[Candidate]:
    for column, due, queue, attempts, has_error in rows:
        if from_column(queue) in queues:
            yield 0 if has_error else count_of(attempts), number_or(due, 0.0), column


def _first(candidates: Iterator[Candidate], count: int, room: Room) -> Iterator[Candidate]:
    """So many of those for which there is room."""
    for candidate in candidates:
        if count <= 0:
            return
        if room.takes(candidate[0]):
            count -= 1
            yield candidate


def _take(
    column: Any, owner: int, epoch: int, taken: list[tuple[Begun, Owned]], suspects: Suspects, connection: sqlite3.Connection
) -> None:
    name, [(row,)] = text_or_none(column), connection.execute(query("number_of"), (column,)).fetchall()
    found = connection.execute(query("find"), (column,)).fetchone()
    try:
        if name is None or to_column(name) != column or found is None:
            raise damaged(str(column), "it has no state" if found is None else "its id is no text")
        taken.append(take(name, row, found[1:], owner, epoch, suspects, None, connection))
    except (OwnershipError, InstanceStuckError):
        return  # the row says that somebody has it: damage, as it was on a shelf
    except (StoreError, SnapshotError) as error:  # nobody can take it up: the others go on
        logger.error("instance %r cannot go on: %s", name, error)
        give_up(row, count_of(found[6]) if found is not None else 0, str(error), connection)
