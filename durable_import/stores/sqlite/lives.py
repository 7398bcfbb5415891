"""The lives of instances in an SQLite database: each function is one piece of work in a transaction."""

from __future__ import annotations

import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from durable_import.errors import FencedError, InstanceStuckError, SnapshotAuthenticationError
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite.columns import count_of, damaged, query, text_or_none, to_column, to_kept
from durable_import.stores.sqlite.messages import load_events
from durable_import.stores.sqlite.owners import AGAIN, OWNED, READY, STUCK, check_free, check_owner, register, shelf_of, shelve
from durable_import.stores.state import (
    ABANDONED,
    NO_ORIGIN,
    Claim,
    Failure,
    HoldRecord,
    InstanceState,
    Origin,
    fenced,
    pause_after,
    state_lost,
)
from durable_import.stores.store import Begun, Segments
from durable_import.stores.suspects import Rule, Suspects

_COMMIT, _COMMIT_ON = query("commit"), query("commit_on")


@dataclass(slots=True)
class Owned:
    """What is known of what the database has of an instance, while it is owned here."""

    owner: int
    has_segments: bool = True
    has_outcome: bool = True
    function: str | None = None  # None: it is not known
    has_keys: bool = False  # that were kept in this life
    checkpoint: int = 0  # of the state that it has
    status: str = ""  # likewise


def begin(
    instance_id: str,
    owner: int,
    epoch: int,
    new: InstanceState | None,
    call: bytes,
    origin: Origin,
    suspects: Suspects,
    rule: Rule | None,
    connection: sqlite3.Connection,
) -> tuple[Begun, Owned]:
    column = to_column(instance_id)
    check_owner(owner, connection)
    found = connection.execute(query("find"), (column,)).fetchone()
    if found is None:
        claim = _add(column, instance_id, owner, epoch, new, call, origin, connection)
        begun = Begun(claim, new, call, new is not None, load_events(instance_id, connection), 0)
        if new is None:
            return begun, Owned(owner, False, False)
        return begun, Owned(owner, False, False, new.function, checkpoint=new.checkpoint, status=new.status)
    row, *facts = found
    status, before = facts[2], facts[1:4:2]
    if status == "" and facts[0] != STUCK:  # it was claimed before, and never committed
        if facts[1] is not None:
            check_free(instance_id, facts[1], owner, connection)
        delete(row, instance_id, connection, is_begun=False)
        return begin(instance_id, owner, epoch, new, call, origin, suspects, rule, connection)
    try:
        begun, owned = take(instance_id, row, facts, owner, epoch, suspects, rule, connection)
    except SnapshotAuthenticationError as damage:
        attempts = give_up(row, count_of(facts[5]), str(damage), connection)
        raise InstanceStuckError(instance_id, str(damage), attempts) from damage
    is_new = before == [owner, epoch] and (begun.state, begun.call) == (new, call)  # and the answer was lost
    return begun._replace(is_new=is_new), owned


def take(
    instance_id: str,
    row: int,
    facts: Sequence[Any],
    owner: int,
    epoch: int,
    suspects: Suspects,
    rule: Rule | None,
    connection: sqlite3.Connection,
) -> tuple[Begun, Owned]:
    """Become the owner of an instance that has a state. ``facts``: what the query ``find`` gives beside its number.

    Nothing was written if it raises.
    """
    column = to_column(instance_id)
    shelf, holder, status, before, lives, *tried = facts
    attempts, error = count_of(tried[0]), text_or_none(tried[1])
    is_again = holder == owner and before == epoch
    if shelf == STUCK:
        raise InstanceStuckError(instance_id, error or "", attempts)
    if holder is not None:
        check_free(instance_id, holder, owner, connection)
    loaded = connection.execute(query("load"), (column,)).fetchone()
    if loaded is None:
        raise damaged(instance_id, "its id is no text, or it has no status")
    kept = to_kept(instance_id, loaded)
    if holder not in (None, owner) and status in ABANDONED:  # it was left by a death, and not buried yet
        attempts, error = attempts + 1, None
    claim = Claim(instance_id, epoch, row).after(attempts, error)
    suspects.admit(claim, None if is_again else rule)
    error_column = to_column(error) if error is not None else None
    connection.execute(query("take"), (owner, epoch, attempts, error_column, not is_again, row))
    if shelf != OWNED:
        connection.execute(query("take_from_shelf"), (row,))
    [(has_segments,)] = connection.execute(query("has_segments"), (row,)).fetchall()
    events = load_events(instance_id, connection)
    begun = Begun(claim, kept.state, kept.call, False, events, max(count_of(lives) - is_again, 0), attempts, error)
    return begun, owned_of(owner, kept.state, bool(has_segments))


def owned_of(owner: int, state: InstanceState, has_segments: bool) -> Owned:
    """What is known of one that was there."""
    known = Owned(owner, has_segments, bool(state.outcome), state.function)
    known.checkpoint, known.status = state.checkpoint, state.status
    return known


def _add(
    column: str | bytes,
    instance_id: str,
    owner: int,
    epoch: int,
    new: InstanceState | None,
    call: bytes,
    origin: Origin,
    connection: sqlite3.Connection,
) -> Claim:
    """The rows of an instance that was not there; without a state of its own it has none yet."""
    parent = to_column(origin.parent) if origin.parent is not None else None
    now, state = time.time(), new or InstanceState("", 0, "", "", None, b"", b"")
    try:
        row = connection.execute(query("add_instance"), (column, to_column(state.function), now, parent)).lastrowid
    except sqlite3.IntegrityError:
        raise damaged(instance_id, "it has no state") from None
    assert row is not None
    for name, value in origin.tags:
        connection.execute(query("add_tag"), (to_column(name), to_column(value), row))
    values = (row, owner, epoch, state.status, state.checkpoint, to_column(state.location), state.wake_at, now, state.snapshot)
    connection.execute(query("add_state"), values)
    connection.execute(query("put_call"), (row, call))
    return Claim(instance_id, epoch, row)


def give_up(row: int, attempts: int, error: str, connection: sqlite3.Connection) -> int:
    """Leave an instance alone whose rows are damaged, whoever owns it; gives the attempts with this one."""
    connection.execute(query("give_up"), (attempts + 1, to_column(error), row))
    connection.execute(query("set_aside"), (STUCK, None, row))
    return attempts + 1


def commit(
    claim: Claim,
    state: InstanceState,
    segments: Segments | None,
    is_whole: bool,
    owned: Owned,
    connection: sqlite3.Connection,
) -> None:
    if not commit_state(claim, state, owned, connection):
        raise _refusal(claim, owned, connection)
    _put_with(claim, state, segments, is_whole, owned, connection)


def _refusal(claim: Claim, owned: Owned, connection: sqlite3.Connection) -> FencedError:
    """Why nothing was committed."""
    for (found,) in connection.execute(query("current"), (claim.number, claim.epoch)):
        return state_lost(claim.instance_id, owned.checkpoint, found)
    return fenced(claim.instance_id, claim.epoch)


def commit_state(claim: Claim, state: InstanceState, owned: Owned, connection: sqlite3.Connection) -> bool:
    """The one statement of most commits; False: the claim is not current, or the store has gone back."""
    status, checkpoint, location, _, wake_at, snapshot, _ = state
    kept = (checkpoint, to_column(location), wake_at, time.time(), snapshot, claim.attempts_kept())
    current = (claim.number, claim.epoch, owned.checkpoint)
    if status == owned.status and connection.execute(_COMMIT_ON, (*kept, *current, status)).rowcount > 0:
        return True
    return connection.execute(_COMMIT, (status, *kept, *current)).rowcount > 0


def commit_at_once(
    claim: Claim,
    state: InstanceState,
    segments: Segments | None,
    is_whole: bool,
    owned: Owned,
    connection: sqlite3.Connection,
) -> bool:
    """``commit`` as a transaction of its own; the caller rolls back what was not committed."""
    connection.execute("BEGIN IMMEDIATE")
    if not commit_state(claim, state, owned, connection):
        return False  # ``commit`` tells
    _put_with(claim, state, segments, is_whole, owned, connection)
    connection.execute("COMMIT")
    return True


def at_once(work: Callable[[sqlite3.Connection], object], connection: sqlite3.Connection) -> bool:
    """Do a piece of work in a transaction of its own; likewise."""
    connection.execute("BEGIN IMMEDIATE")
    work(connection)
    connection.execute("COMMIT")
    return True


def is_known(instance_id: str, connection: sqlite3.Connection) -> bool:
    return connection.execute(query("number_of"), (to_column(instance_id),)).fetchone() is not None


def is_one_statement(state: InstanceState, segments: Segments | None, owned: Owned) -> bool:
    """Whether ``commit_state`` is all that there is to do."""
    is_all = not segments and not owned.has_segments and not owned.has_outcome and not state.outcome and not owned.has_keys
    return is_all and owned.function == state.function


def _put_with(
    claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool, owned: Owned, connection: sqlite3.Connection
) -> None:
    """What changes with a state, in other tables."""
    if is_one_statement(state, segments, owned):
        return
    row = claim.number
    if owned.has_keys:
        connection.execute(query("forget_keys"), (row, claim.epoch))
    if owned.function != state.function:
        connection.execute(query("name_instance"), (to_column(state.function), row))
    if state.outcome:
        connection.execute(query("put_outcome"), (row, state.outcome))
    elif owned.has_outcome:
        connection.execute(query("delete_outcome"), (row,))
    if is_whole and owned.has_segments:
        connection.execute(query("remove_segments"), (row,))
    if segments:
        put = [(row, to_column(key), data) for key, data in segments.items() if data is not None]
        connection.executemany(query("put_segment"), put)
        gone = [(row, to_column(key)) for key, data in segments.items() if data is None]
        connection.executemany(query("remove_segment"), gone)


def is_committed(state: InstanceState, segments: Segments | None, is_whole: bool, owned: Owned) -> None:
    """Note what the database has from now on."""
    owned.function, owned.has_outcome = state.function, bool(state.outcome)
    owned.has_segments = (owned.has_segments and not is_whole) or bool(segments)
    owned.has_keys, owned.checkpoint, owned.status = False, state.checkpoint, state.status


def end(claim: Claim, state: InstanceState, keeps: bool, owned: Owned, connection: sqlite3.Connection) -> None:
    now = time.time()
    values = {
        "status": state.status, "checkpoint": state.checkpoint, "location": to_column(state.location), "now": now, "keeps": keeps,
        "snapshot": state.snapshot, "number": claim.number, "epoch": claim.epoch, "before": owned.checkpoint,
    }  # fmt: skip
    if connection.execute(query("end"), values).rowcount == 0:
        raise _refusal(claim, owned, connection)
    _put_with(claim, state, None, not keeps, replace(owned, has_keys=False), connection)
    if not keeps:
        connection.execute(query("delete_events"), (to_column(claim.instance_id),))
        connection.execute(query("delete_keys"), (claim.number,))
    connection.execute(query("shelve"), (shelf_of(state.status), now, now, claim.number))


def release(claim: Claim, has_lived: bool, failure: Failure | None, connection: sqlite3.Connection) -> None:
    values = {
        "unlived": not has_lived, "attempts": failure.attempts if failure is not None else None,
        "error": to_column(failure.error) if failure is not None else None, "number": claim.number, "epoch": claim.epoch,
    }  # fmt: skip
    for status, wake_at, updated_at, error in connection.execute(query("release"), values).fetchall():
        if failure is None and status == "failed" and error is not None:  # it was not tried again yet
            connection.execute(query("set_aside"), (READY, time.time(), claim.number))
        elif failure is None or status == "":
            shelve(claim.number, to_column(claim.instance_id), status, wake_at, updated_at, connection)
        elif failure.is_stuck:
            connection.execute(query("set_aside"), (STUCK, None, claim.number))
        else:
            connection.execute(query("set_aside"), (AGAIN, time.time() + pause_after(failure.attempts), claim.number))


def note_hold(claim: Claim, hold: HoldRecord, checkpoint: int, connection: sqlite3.Connection) -> None:
    connection.execute(query("note_hold"), (json.dumps(hold), claim.number, claim.epoch, checkpoint))


def set_tags(claim: Claim, tags: Mapping[str, str | None], connection: sqlite3.Connection) -> None:
    if connection.execute(query("current"), (claim.number, claim.epoch)).fetchone() is None:
        return
    for name, value in tags.items():
        connection.execute(query("remove_tag"), (claim.number, to_column(name)))
        if value is not None:
            connection.execute(query("add_tag"), (to_column(name), to_column(value), claim.number))


def keep_key(claim: Claim, key: str, digest: bytes, connection: sqlite3.Connection) -> bytes:
    values = {"key": to_column(key), "digest": digest, "number": claim.number, "epoch": claim.epoch}
    for (first,) in connection.execute(query("keep_key"), values).fetchall():
        return bytes(first)
    raise fenced(claim.instance_id, claim.epoch)


def keep_before(claim: Claim, data: bytes, connection: sqlite3.Connection) -> None:
    values = {"data": data, "number": claim.number, "epoch": claim.epoch}
    if connection.execute(query("put_before"), values).rowcount == 0:
        raise fenced(claim.instance_id, claim.epoch)


def retry(instance_id: str, connection: sqlite3.Connection) -> bool:
    values = {"now": time.time(), "instance_id": to_column(instance_id)}
    found = connection.execute(query("retry"), values).fetchall()
    connection.executemany(query("begin_attempts"), found)
    connection.executemany(query("forget_refused_keys"), found)
    return bool(found)


def hasten(connection: sqlite3.Connection) -> None:
    connection.execute(query("hasten"), {"now": time.time()})


def save(instance_id: str, who: Owner, state: InstanceState, call: bytes, connection: sqlite3.Connection) -> None:
    """Begin, commit and release in one step; another call takes the place of the one before."""
    owner = register(who, 0.0, connection)
    begun, owned = begin(instance_id, owner, secrets.randbits(62) | 1, state, call, NO_ORIGIN, Suspects(), None, connection)
    if not begun.is_new:
        commit(begun.claim, state, None, True, owned, connection)
        connection.execute(query("put_call"), (begun.claim.number, call))
        connection.execute(query("name_instance"), (to_column(state.function), begun.claim.number))
    elif state.outcome:
        connection.execute(query("put_outcome"), (begun.claim.number, state.outcome))
    release(begun.claim, True, None, connection)
    connection.execute(query("forget_owner"), (owned.owner,))


def delete(row: int, instance_id: str, connection: sqlite3.Connection, *, is_begun: bool = True) -> None:
    """All of an instance; of one that has not begun, all but its events."""
    tables = ("instance", "state", "call", "outcome", "tags", "history", "past_segments", "keys", "before")
    for name in (*(f"delete_{table}" for table in tables), "remove_segments"):
        connection.execute(query(name), (row,))
    if is_begun:
        connection.execute(query("delete_events"), (to_column(instance_id),))
