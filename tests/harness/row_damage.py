"""Rows of an SQLite store, altered at random: whatever stands there, other instances go on, and no raw error is raised.

``python -m tests.harness.row_damage 100000 [SEED]`` makes so many alterations.
"""

from __future__ import annotations

import logging
import random
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from durable_import.errors import DurableError
from durable_import.stores.files import text_of
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite import claiming, lives, looking, messages, owners
from durable_import.stores.sqlite.schema import migrate
from durable_import.stores.state import NO_ORIGIN, STATUSES, STUCK, Claim, Failure, HoldRecord, InstanceQuery, InstanceState
from durable_import.stores.store import Begun
from durable_import.stores.suspects import Suspects

TABLES = ("instance", "state", "call", "outcome", "segment", "event", "owner")
OTHERS = ("b", "c")
MOST = 8  # alterations that a store is used with at once
CALL = b"call"
Work = Callable[[sqlite3.Connection], Any]


def state(checkpoint: int, status: str = "running", wake_at: float | None = None) -> InstanceState:
    """As the runtime keeps it."""
    outcome = b"outcome" if status == "completed" else b""
    return InstanceState(status, checkpoint, "app.py:7 main", "app:main", wake_at, b"snapshot", outcome)


def template() -> sqlite3.Connection:
    """A database in which "a" and others are owned, wait, are left, have failed and are stuck."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, ":memory:")
    dead = owners.register(Owner.current(), 30.0, connection)
    for number, name in enumerate(("a", "a/waits", "a/ended", "a/stuck", "a/left", *OTHERS)):
        begun, owned = lives.begin(name, dead, number + 1, state(0, "pending"), CALL, NO_ORIGIN, Suspects(), None, connection)
        status = "waiting" if name == "a/waits" else "running"
        lives.commit(begun.claim, state(1, status, time.time()), {"key": b"segment"}, False, owned, connection)
        messages.publish(name, "event", b"payload", f"event of {name}", connection)
        if name == "a/ended":
            lives.end(begun.claim, state(2, "completed"), False, owned, connection)
        elif name not in ("a", *OTHERS):
            failure = Failure("an error", 3, True) if name == "a/stuck" else None
            lives.release(begun.claim, True, failure, connection)
    messages.save_source("digest", "text", connection)
    return connection


def value(chance: random.Random) -> Any:
    """What somebody may have put into a column."""
    kinds: tuple[Callable[[], Any], ...] = (
        lambda: None,
        lambda: chance.choice((0, 1, -1, 2, 2**31, 2**62, 2**63 - 1, -(2**63))),
        lambda: chance.choice((0.0, -0.5, 1.5, float("inf"), float("-inf"), 1e308, 5e-324)),
        lambda: chance.choice(("", "a", "x", "\0", "9" * 400, "running", "stuck", "[" * 100_000, '{"pid": ' * 50_000)),
        lambda: chance.choice(('{"host": "h", "pid": 99999999999999999999}', '{"host": "h", "pid": -1}', "[1e999, NaN]", "null")),
        lambda: chance.choice(STATUSES),
        lambda: chance.choice((b"", b"\xff\xfe", b"\xed\xb3\xbf", b"x", bytes(1000))),
    )
    return chance.choice(kinds)()


def alter(connection: sqlite3.Connection, chance: random.Random) -> str:
    """Put something else into a cell of an instance "a...", of an owner or of what is common; gives what was done."""
    table = f"durable_{chance.choice(TABLES)}"
    columns = [name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")]
    rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table}")]
    mine = [row for row in rows if not _is_of_others(table, row, connection)]
    if not mine:
        return ""
    row, column, put = chance.choice(mine), chance.choice(columns), value(chance)
    try:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (put, row))
    except sqlite3.Error:  # the database refuses it
        return ""
    return f"{table}.{column} of {row} is {put!r:.60}"


def _is_of_others(table: str, row: int, connection: sqlite3.Connection) -> bool:
    marks = ", ".join("?" * len(OTHERS))
    numbers = f"SELECT number FROM durable_instance WHERE instance_id IN ({marks})"
    if table == "durable_owner":
        return False
    key = f"instance_id IN ({marks})" if table == "durable_event" else f"number IN ({numbers})"
    return connection.execute(f"SELECT 1 FROM {table} WHERE rowid = ? AND {key}", (row, *OTHERS)).fetchone() is not None


def uses(owner: int, chance: random.Random) -> Iterator[Work]:
    """What is done with a store, for all instances "a..."."""
    asked: tuple[dict[str, Any], ...] = (
        {}, {"limit": 1}, {"status": "running"}, {"status": STUCK}, {"function": "app:main"}, {"prefix": "a"},
    )  # fmt: skip
    for each in asked:
        yield partial(looking.list_page, InstanceQuery(**each))
    yield owners.rows
    yield partial(_claim, owner)
    for name in chance.sample(("a", "a/waits", "a/ended", "a/stuck", "a/left"), 5):
        for look in (looking.load, looking.summary, looking.load_history, messages.load_events):
            yield partial(look, name)
        for some in (None, ("k",)):
            yield partial(looking.load_segments, name, some)
        yield partial(messages.publish, name, "again", b"", None)
        yield partial(lives.retry, name)
        yield partial(_live, name, owner, chance.random() < 0.5)
    yield partial(looking.remove_finished, 0.0)
    yield partial(messages.load_source, "digest")
    for name in ("a", "a/left"):
        yield partial(looking.remove, name)


def _live(name: str, owner: int, ends: bool, connection: sqlite3.Connection) -> None:
    begun, owned = lives.begin(name, owner, 77, state(0, "pending"), CALL, NO_ORIGIN, Suspects(), None, connection)
    lives.note_hold(begun.claim, HoldRecord("what", 0.0), 1, connection)
    lives.commit(begun.claim, state(5), {"key": b"other"}, True, owned, connection)
    if ends:
        lives.end(begun.claim, state(6, "completed"), False, owned, connection)
    else:
        lives.release(begun.claim, True, Failure("error", 2, False), connection)


def _claim(owner: int, connection: sqlite3.Connection) -> list[tuple[Begun, lives.Owned]]:
    return claiming.claim(owner, 99, 100, ("",), True, Suspects(), 9, connection)


def check_others(owner: int, connection: sqlite3.Connection) -> None:
    """Those that nobody has altered are found, and go on."""
    found = {each.instance_id for each in looking.list_page(InstanceQuery(), connection).instances}
    assert found >= set(OTHERS), found
    for row in owners.rows(connection):
        if row.id != owner:
            while owners.bury(row.id, row.beat, 100, connection):
                pass
    claimed = {begun.claim.instance_id: (begun, owned) for begun, owned in _claim(owner, connection)}
    assert set(OTHERS) <= set(claimed), claimed
    for name in OTHERS:
        begun, owned = claimed[name]
        assert (begun.state, begun.call, len(begun.events or ())) == (state(1, wake_at=begun.state.wake_at), CALL, 1)  # type: ignore[union-attr]
        assert type(begun.claim) is Claim
        lives.commit(begun.claim, state(2), None, True, owned, connection)
        lives.end(begun.claim, state(3, "completed"), False, owned, connection)
        kept = looking.load(name, connection)
        assert kept is not None
        assert kept.state.status == "completed"


def damage_once(whole: sqlite3.Connection, chance: random.Random) -> tuple[int, str]:
    """Alter some cells of a copy, and use it; gives how many were altered, and what was wrong, if something was."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        whole.backup(connection)
        connection.text_factory = text_of
        done = list(filter(None, (alter(connection, chance) for _ in range(chance.randrange(1, MOST + 1)))))
        try:
            owner = owners.register(Owner.current(), 30.0, connection)
            for use in uses(owner, chance):
                try:
                    use(connection)
                except DurableError:
                    continue
            check_others(owner, connection)
        except Exception as error:
            return len(done), f"{done}: {type(error).__name__}: {error} {traceback.extract_tb(error.__traceback__)[-1]}"
    return len(done), ""


def damage(times: int, seed: int) -> tuple[int, list[str]]:
    """So many alterations; gives how many there were, and what was wrong."""
    chance, altered, wrongs = random.Random(seed), 0, list[str]()
    with closing(template()) as whole:
        while altered < times:
            count, wrong = damage_once(whole, chance)
            altered += count
            wrongs += [wrong] if wrong else []
    return altered, wrongs


if __name__ == "__main__":
    logging.disable()
    seed = int(sys.argv[2]) if sys.argv[2:] else random.randrange(1 << 30)
    altered, wrongs = damage(int(sys.argv[1]), seed)
    print(f"seed {seed}: {altered} alterations, {len(wrongs)} uses of the store went wrong")
    print("\n".join(wrongs[:20]))
    sys.exit(bool(wrongs))
