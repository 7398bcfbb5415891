"""Taking up what nobody owns and has something to do, in a PostgreSQL database: each function is one work, in rounds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from durable_import.log import logger
from durable_import.stores.postgres.columns import from_column, row_key, text_or_none, to_column, to_kept
from durable_import.stores.postgres.lives import Owned, owned_of
from durable_import.stores.postgres.pipeline import ATTEMPTS, Rounds
from durable_import.stores.state import LONGEST_PAUSE, Claim, Event, owner_lost
from durable_import.stores.store import Begun
from durable_import.stores.suspects import Room, Suspects

Candidate = tuple[int, bytes, float | None, int]  # shelf, key, since when it is due, deaths

DAMAGED = (
    "its rows are damaged: their key is not that of its id. They were left as they are; put a backup back, or remove them from "
    "the tables"
)
MORE = 64  # candidates beyond those that are wanted, since there may be no room for some


def nothing() -> Rounds[None]:
    """It is done when all that was asked for before is, in however many rounds."""
    yield from ()


def owned_by(owner: int) -> Rounds[list[Claim]]:
    """All that an owner has."""
    [found] = yield [("owned_by", {"owner": owner})]
    return [Claim(from_column(instance_id), epoch) for instance_id, epoch in found.fetchall()]


def claim(
    owner: int, epoch: int, count: int, queues: Sequence[str], orphans: bool, suspects: Suspects, alone_from: int
) -> Rounds[list[tuple[Begun, Owned]]]:
    """See ``store.Store.claim``. What others have taken, or are about to take, at the same moment is passed over."""
    row = {
        "owner": owner,
        "epoch": epoch,
        "queues": [to_column(queue) for queue in queues],
        "orphans": orphans,
        "longest": LONGEST_PAUSE,
    }
    taken, passed = list[tuple[Begun, Owned]](), set[bytes]()
    for _ in range(ATTEMPTS):
        chosen = yield from _choice(row, count - len(taken), passed, partial(suspects.room, alone_from))
        its = (yield from _taken(owner, epoch, chosen, suspects, ("claim", {**row, "keys": chosen}))) if chosen else []
        taken += its
        if len(its) == len(chosen):
            break
        passed.update(chosen)
    return taken


def _choice(row: dict[str, Any], count: int, passed: set[bytes], room: Callable[[], Room]) -> Rounds[list[bytes]]:
    """The keys of those to take."""
    limit = count + MORE + len(passed)
    while True:
        alive, found = yield [("is_alive", row), ("candidates", {**row, "limit": limit})]
        if alive.rowcount == 0:
            raise owner_lost(row["owner"])
        candidates: list[Candidate] = found.fetchall()
        chosen = _chosen([each for each in candidates if each[1] not in passed], count, room)
        if len(chosen) == count or not any(len(list(of)) >= limit for _, of in groupby(candidates, key=itemgetter(0))):
            return chosen
        limit *= 4  # those that come first have no room


def claimed(owner: int, epoch: int, suspects: Suspects) -> Rounds[list[tuple[Begun, Owned]]]:
    """What a claim has taken whose answer was lost."""
    [found] = yield [("claimed", {"owner": owner, "epoch": epoch})]
    keys = [key for (key,) in found.fetchall()]
    if not keys:
        return []
    return (yield from _taken(owner, epoch, keys, suspects, None))


def _chosen(candidates: Sequence[Candidate], count: int, room: Callable[[], Room]) -> list[bytes]:
    """The keys of those to take: on each shelf so many, then of all so many, the living first."""
    first: list[Candidate] = []
    for _, of_shelf in groupby(candidates, key=itemgetter(0)):
        its = room()
        first += [each for each in of_shelf if its.takes(each[3])][:count]
    last = room()
    first.sort(key=lambda each: (each[3], each[2] or 0.0))
    return [key for _, key, _, deaths in first if last.takes(deaths)][:count]


def _taken(
    owner: int, epoch: int, keys: list[bytes], suspects: Suspects, claim: tuple[str, dict[str, Any]] | None
) -> Rounds[list[tuple[Begun, Owned]]]:
    row = {"owner": owner, "epoch": epoch, "keys": keys}
    *_, loaded, messages = yield [*([claim] if claim is not None else []), ("load_claimed", row), ("events_of", row)]
    events: defaultdict[bytes, list[Event]] = defaultdict(list)
    for key, number, name, payload in messages.fetchall():
        events[key].append(Event(number, from_column(name), payload))
    rows = {row[13]: row for row in loaded.fetchall()}
    damaged = [key for key, row in rows.items() if row_key(from_column(row[8])) != key]
    if damaged:
        yield from _given_up({key: from_column(rows.pop(key)[8]) for key in damaged})
    taken = {key: _begun(epoch, row, events[key]) for key, row in rows.items()}
    for begun, _ in taken.values():
        suspects.admit(begun.claim)
    return [taken[key] for key in keys if key in taken]


def _given_up(names: Mapping[bytes, str]) -> Rounds[None]:
    """Leave those alone whose rows bear the id of another one: nobody could commit them."""
    for name in names.values():
        logger.error("instance %r cannot go on: %s", name, DAMAGED)
    row = {"keys": list(names), "error": DAMAGED}
    yield [("set_aside_damaged", row), ("give_up", row)]


def _begun(epoch: int, row: Sequence[Any], events: list[Event]) -> tuple[Begun, Owned]:
    kept, (column, attempts, lives, error, has_segments) = to_kept(row[:8]), row[8:13]
    error = text_or_none(error)
    claim = Claim(from_column(column), epoch).after(attempts, error)
    begun = Begun(claim, kept.state, kept.call, False, events, max(lives - 1, 0), attempts, error)
    return begun, owned_of(kept, has_segments)
