"""The lives of instances in a PostgreSQL database: each function is one work, in rounds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from durable_import.errors import InstanceStuckError, OwnershipError, StoreUnavailableError
from durable_import.stores.bounds import HistoryBound
from durable_import.stores.owner import refusal
from durable_import.stores.postgres.columns import STUCK, row_key, text_or_none, to_column, to_kept, to_owner
from durable_import.stores.postgres.messages import events_of
from durable_import.stores.postgres.pipeline import ATTEMPTS, Rounds, Statement
from durable_import.stores.state import (
    ABANDONED,
    FINISHED,
    NO_ORIGIN,
    Claim,
    Event,
    Failure,
    HoldRecord,
    InstanceState,
    Origin,
    check_size,
    fenced,
    owner_lost,
    pause_after,
    state_lost,
)
from durable_import.stores.store import Begun, Kept, Segments
from durable_import.stores.suspects import Rule, Suspects

MOST = 1 << 30  # attempts that a row can hold
NO_STATE = InstanceState("", 0, "", "", None, b"", b"")
_SHELVES = dict(zip(FINISHED, (3, 4, 5), strict=True))


@dataclass(slots=True)
class Owned:
    """What is known of what the database has of an instance, while it is owned here."""

    has_segments: bool = True
    has_outcome: bool = True
    has_state: bool = True
    function: str | None = None  # None: it is not known
    has_keys: bool = False  # that were kept in this life
    checkpoint: int = 0  # of the state that it has


def begin(
    instance_id: str,
    owner: int,
    epoch: int,
    new: InstanceState | None,
    call: bytes,
    origin: Origin,
    suspects: Suspects,
    rule: Rule | None,
) -> Rounds[tuple[Begun, Owned]]:
    """See ``store.Store.begin``. With a rule, one that is suspected is not taken before it is known that it is to be."""
    check_size(instance_id, "the call", len(call))
    claim, state = Claim(instance_id, epoch), new or NO_STATE
    row = {
        **_row_of(claim, state), "instance_id": to_column(instance_id), "owner": owner, "call": call,
        "function": to_column(state.function), "parent": to_column(origin.parent) if origin.parent is not None else None,
        "names": [to_column(name) for name, _ in origin.tags], "values": [to_column(value) for _, value in origin.tags],
    }  # fmt: skip
    row["most"] = MOST if rule is None else 0
    for _ in range(ATTEMPTS):
        [added] = yield [("begin_new", row)]
        for (has_events,) in added.fetchall():
            return Begun(claim, new, call, new is not None, None if has_events else [], 0), _owned_new(new)
        _, _, loaded, events = yield [("lock", row), ("take", row), ("load_begun", row), ("load_events", row)]
        for found in loaded.fetchall():
            if row["most"] < (deaths := _deaths_before(owner, epoch, found)):
                suspects.admit(claim.after(deaths, None), rule)
                row["most"] = deaths
                break
            _check_taken(instance_id, owner, epoch, found)
            if found[0] == "":  # it was claimed before, and never committed
                return (yield from _begin_unborn(claim, new, call, row))
            begun, owned = _begun(claim, found, events_of(events), new, call)
            suspects.admit(begun.claim)
            return begun, owned
        else:
            [alive] = yield [("is_alive", row)]  # else it was deleted in between
            if alive.rowcount == 0:
                raise owner_lost(owner)
    raise StoreUnavailableError(f"instance {instance_id!r} is deleted again and again while it begins. Run again.")


def _begun(
    claim: Claim, found: Sequence[Any], events: list[Event], new: InstanceState | None, call: bytes
) -> tuple[Begun, Owned]:
    """What was there; or, if it is what was to be new and it has had one life, it was made by a begin whose answer was lost."""
    kept, (attempts, lives, error, has_segments) = to_kept(found[:8]), found[10:14]
    error, is_new = text_or_none(error), lives == 0 and kept == (new, call)
    begun = Begun(claim.after(attempts, error), kept.state, kept.call, is_new, events, max(lives - 1, 0), attempts, error)
    return begun, owned_of(kept, has_segments)


def _deaths_before(owner: int, epoch: int, found: Sequence[Any]) -> int:
    """How many have ended with their process, of an instance that could be taken, and was not; else 0."""
    status, holder, current, attempts, error = found[0], found[8], found[9], found[10], found[12]
    _, _, _, _, shelf, is_alive, is_left = found[14:]
    if (holder, current) == (owner, epoch) or shelf == STUCK or not is_alive or not (holder in (None, owner) or is_left):
        return 0
    if holder not in (None, owner) and status in ABANDONED:
        return min(int(attempts), MOST) + 1
    return 0 if error is not None else int(attempts)


def _check_taken(instance_id: str, owner: int, epoch: int, found: Sequence[Any]) -> None:
    """Raise what keeps an owner from having an instance: another one, or that it is stuck; or that the owner is not alive."""
    holder, current, attempts, error = (*found[8:11], found[12])
    who, since, until, now, shelf, is_alive, _ = found[14:]
    if shelf == STUCK:
        raise InstanceStuckError(instance_id, text_or_none(error) or "", attempts)
    if (holder, current) == (owner, epoch):
        return
    if not is_alive:
        raise owner_lost(owner)
    raise refusal(instance_id, to_owner(who), since or 0.0, until or 0.0, holder or 0, now)


def _begin_unborn(claim: Claim, new: InstanceState | None, call: bytes, row: dict[str, Any]) -> Rounds[tuple[Begun, Owned]]:
    statements: list[Statement] = [("put_call", row)]
    if new is not None:
        statements += [("commit", row), ("name_instance", row)]
    yield statements
    return Begun(claim, new, call, new is not None, None, 0), _owned_new(new)


def commit(
    claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool, owned: Owned, bound: HistoryBound | None = None
) -> Rounds[None]:
    statements = commit_statements(claim, state, segments, is_whole, owned, bound)
    committed, *_ = yield statements
    if committed.rowcount == 0:
        yield from why_refused(claim, owned.checkpoint)


def why_refused(claim: Claim, before: int) -> Rounds[None]:
    """Raise why nothing was committed. ``before``: the checkpoint that was, as far as is known here."""
    [current] = yield [("current", {"key": row_key(claim.instance_id), "epoch": claim.epoch})]
    for (found,) in current.fetchall():
        raise state_lost(claim.instance_id, before, found)
    raise fenced(claim.instance_id, claim.epoch)


def commit_statements(
    claim: Claim, state: InstanceState, segments: Segments | None, is_whole: bool, owned: Owned, bound: HistoryBound | None = None
) -> list[Statement]:
    """``bound``: how much of the history is kept. If the first changes no row, the claim is not current, or the store has
    gone back, and no other does."""
    check_size(claim.instance_id, "the snapshot", len(state.snapshot))
    row = _row_of(claim, state, owned.checkpoint)
    statements: list[Statement] = [("commit", row)]
    if bound is not None:
        statements = [("commit keeping", row), *_history_statements(row, owned, bound)]
        if segments or (is_whole and owned.has_segments):
            statements += _past_segments(row, segments or {}, is_whole)
    if owned.function != state.function:
        statements.append(("name_instance", {**row, "function": to_column(state.function)}))
    if state.outcome:
        check_size(claim.instance_id, "the result", len(state.outcome))
        statements.append(("put_outcome", {**row, "outcome": state.outcome}))
    elif owned.has_outcome:
        statements.append(("remove_outcome", row))
    if is_whole and owned.has_segments:
        statements.append(("remove_segments", row))
    if owned.has_keys:
        statements.append(("forget_keys", row))
    for name, data in (segments or {}).items():
        if data is not None:
            check_size(claim.instance_id, "a part of the snapshot", len(data))
            statements.append(("put_segment", {**row, "name": to_column(name), "data": data}))
        elif not is_whole:
            statements.append(("remove_segment", {**row, "name": to_column(name)}))
    return statements


def _history_statements(row: Mapping[str, Any], owned: Owned, bound: HistoryBound) -> list[Statement]:
    """What is done about the past states when another one is kept."""
    statements: list[Statement] = []
    if row["checkpoint"] < owned.checkpoint:
        statements += [(name, row) for name in ("forget_later", "keep_earlier_segments", "forget_later_segments")]
    if bound != HistoryBound():
        values = {**row, "first": bound.first_kept(owned.checkpoint), "seconds": bound.seconds}
        statements += [("clear_history", values), ("clear_past_segments", row)]
    return statements


def _past_segments(row: Mapping[str, Any], segments: Segments, is_whole: bool) -> list[Statement]:
    values = {**row, "is_whole": is_whole, "changed": [to_column(name) for name in segments]}
    return [("keep_segments", values), ("keep_new_segments", values)]


def is_committed(state: InstanceState, segments: Segments | None, is_whole: bool, owned: Owned) -> None:
    """Note what the database has from now on."""
    owned.function, owned.has_outcome, owned.has_state = state.function, bool(state.outcome), True
    owned.has_segments = (owned.has_segments and not is_whole) or bool(segments)
    owned.has_keys, owned.checkpoint = False, state.checkpoint


def end(claim: Claim, state: InstanceState, keeps: bool, before: int, bound: HistoryBound | None = None) -> Rounds[None]:
    """``before``: the checkpoint that was, as far as is known here; ``bound``: how much of the history is kept."""
    check_size(claim.instance_id, "the result", len(state.outcome))
    row = {
        **_row_of(claim, state, before), "keeps": keeps, "function": to_column(state.function), "shelf": _SHELVES[state.status],
        "outcome": state.outcome, "has_outcome": bool(state.outcome),
    }  # fmt: skip
    statements: list[Statement] = [("lock", row), ("end", row)] if bound is None else [("lock", row), ("end keeping", row)]
    if bound is not None:
        statements += _history_statements(row, Owned(checkpoint=before), bound)
    _, ended, *_ = yield statements
    if ended.rowcount == 0:
        yield from why_refused(claim, before)


def release(claim: Claim, has_lived: bool, failure: Failure | None, has_state: bool = True) -> Rounds[None]:
    yield _release_statements(claim, has_lived, failure, has_state)


def _release_statements(claim: Claim, has_lived: bool, failure: Failure | None, has_state: bool) -> list[Statement]:
    key = row_key(claim.instance_id)
    row = {
        "key": key, "epoch": claim.epoch, "unlived": 0 if has_lived else 1,
        "attempts": min(failure.attempts, MOST) if failure is not None else None,
        "error": to_column(failure.error) if failure is not None else None,
        "is_stuck": failure is not None and failure.is_stuck,
        "pause": pause_after(failure.attempts) if failure is not None else 0.0,
    }  # fmt: skip
    keys: Mapping[str, Any] = {"keys": [key]}
    statements: list[Statement] = [("lock", row), ("release", row)]
    if not has_state:
        statements.append(("forget_unborn", keys))
    if failure is not None:
        return [*statements, ("set_aside", row)]
    return [*statements, ("shelve", keys), ("wake", keys)]


def note_hold(claim: Claim, hold: HoldRecord, checkpoint: int) -> Rounds[None]:
    row = {"key": row_key(claim.instance_id), "epoch": claim.epoch, "checkpoint": checkpoint}
    yield [("note_hold", {**row, "hold": json.dumps(hold)})]


def set_tags(claim: Claim, tags: Mapping[str, str | None]) -> Rounds[None]:
    row = {
        "key": row_key(claim.instance_id), "epoch": claim.epoch, "removed": [to_column(name) for name in tags],
        "names": [to_column(name) for name, value in tags.items() if value is not None],
        "values": [to_column(value) for value in tags.values() if value is not None],
    }  # fmt: skip
    yield [("lock", row), ("remove_tags", row), ("put_tags", row)]


def keep_key(claim: Claim, key: str, digest: bytes) -> Rounds[bytes]:
    row = {"key": row_key(claim.instance_id), "epoch": claim.epoch, "step_key": to_column(key), "digest": digest}
    _, kept = yield [("lock", row), ("keep_key", row)]
    for (first,) in kept.fetchall():
        return bytes(first)
    raise fenced(claim.instance_id, claim.epoch)


def keep_before(claim: Claim, data: bytes) -> Rounds[None]:
    check_size(claim.instance_id, "the state before", len(data))
    row = {"key": row_key(claim.instance_id), "epoch": claim.epoch, "data": data}
    _, kept = yield [("lock", row), ("put_before", row)]
    if kept.rowcount == 0:
        raise fenced(claim.instance_id, claim.epoch)


def retry(instance_id: str) -> Rounds[bool]:
    row = {"key": row_key(instance_id)}
    _, tried = yield [("lock", row), ("retry", row)]
    return tried.rowcount > 0


def hasten() -> Rounds[None]:
    yield [("hasten", {})]


def save(instance_id: str, owner: int, who: str, epoch: int, state: InstanceState, call: bytes) -> Rounds[None]:
    """Begin, commit and release, by an owner for this only; another call takes the place of the one before."""
    row = {"owner": owner, "who": who, "lease": 0.0}
    yield [("put_owner", row)]
    try:
        begun, owned = yield from begin(instance_id, owner, epoch, state, call, NO_ORIGIN, Suspects(), None)
    except OwnershipError:
        yield [("forget_owner", row)]
        raise
    statements: list[Statement] = []
    if not begun.is_new or state.outcome:
        statements = commit_statements(begun.claim, state, None, True, owned)
        statements.append(("put_call", {"key": row_key(instance_id), "epoch": epoch, "call": call}))
    kept, *_ = yield [*statements, *_release_statements(begun.claim, True, None, True), ("forget_owner", row)]
    if kept.rowcount == 0:
        raise fenced(instance_id, epoch)


def _owned_new(new: InstanceState | None) -> Owned:
    if new is None:
        return Owned(False, False, has_state=False)
    return Owned(False, False, function=new.function, checkpoint=new.checkpoint)


def owned_of(kept: Kept, has_segments: bool) -> Owned:
    """What is known of one that was there."""
    state = kept.state
    return Owned(has_segments, bool(state.outcome), function=state.function, checkpoint=state.checkpoint)


def _row_of(claim: Claim, state: InstanceState, before: int = 0) -> dict[str, Any]:
    return {
        "key": row_key(claim.instance_id),
        "epoch": claim.epoch,
        "status": to_column(state.status),
        "checkpoint": state.checkpoint,
        "before": before,
        "location": to_column(state.location),
        "wake_at": state.wake_at,
        "snapshot": state.snapshot,
        "attempts": claim.attempts_kept(),
    }
