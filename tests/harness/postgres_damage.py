"""Rows of a PostgreSQL store, altered at random: whatever stands there, other instances go on, and no raw error is raised.

``python -m tests.harness.postgres_damage 100000 [SEED]`` makes so many alterations, on a server of its own.
"""

from __future__ import annotations

import itertools
import logging
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import Any, NamedTuple, TypeVar

from durable_import.errors import DurableError
from durable_import.stores.owner import Owner
from durable_import.stores.postgres import claiming, lives, looking, messages
from durable_import.stores.postgres.address import Address
from durable_import.stores.postgres.columns import query, row_key
from durable_import.stores.postgres.driver import psycopg
from durable_import.stores.postgres.failures import explain
from durable_import.stores.postgres.owners import OwnersDesk
from durable_import.stores.postgres.pipeline import Cursor, Rounds, opened
from durable_import.stores.state import NO_ORIGIN, STATUSES, STUCK, Failure, HoldRecord, InstanceQuery
from durable_import.stores.store import Begun
from durable_import.stores.suspects import Suspects
from tests.harness.postgres import PostgresServer
from tests.harness.row_damage import CALL, OTHERS, state

logger = logging.getLogger(__name__)

T = TypeVar("T")
CLEARED_EVERY = 50  # uses
MOST = 16  # alterations that a store is used with at once
TABLES = ("instance", "state", "call", "outcome", "segment", "event", "key", "owner")
NAMES = ("a", "a/waits", "a/ended", "a/stuck", "a/again", "a/left")
_NAMES = {row_key(name): name for name in NAMES}
VALUES: dict[str, tuple[Any, ...]] = {  # what somebody may put into a column of a type
    "bigint": (0, 1, -1, 2**31, 2**62, 2**63 - 1, -(2**63)),
    "integer": (0, 1, -1, 9, 2**30, 2**31 - 1, -(2**31)),
    "smallint": (*range(-1, 10), 2**15 - 1),
    "double precision": (0.0, -0.5, 1.5, float("inf"), float("-inf"), float("nan"), 1e308, 5e-324),
    "boolean": (True, False),
    "bytea": (b"", b"\xff\xfe", b"x", bytes(1000), row_key("a/left")),
    "text": (
        "", "a", "b", "x", r"\0", r"\ud800", "\\", "9" * 400, *STATUSES, STUCK, "[" * 50_000, '{"pid": ' * 20_000,
        '{"host": "h", "pid": 99999999999999999999}', '{"host": "h", "pid": -1}', "[1e999, NaN]", "null",
    ),
}  # fmt: skip


class Desk(OwnersDesk):
    """Owners, by the connection of a ``Database``."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.address, 60.0)
        self._database = database
        self._connection = database.connection

    def _transact(self, work: Callable[[], T], patience: float, *, is_one: bool = False) -> T:  # noqa: ARG002
        return self._database.safely(work)


class Database:
    """All that happens between ``begin`` and ``undo`` has not happened then."""

    def __init__(self, url: str) -> None:
        self.address = Address.of(url)
        self.connection, _ = opened(self.address, 60.0)
        self.owners = Desk(self)
        self.columns = {table: self._columns_of(table) for table in TABLES}

    def _columns_of(self, table: str) -> list[tuple[str, str]]:
        text = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s"
        return self.connection.execute(text, [self.address.schema, f"durable_{table}"]).fetchall()

    def begin(self) -> None:
        self.say(b"BEGIN; SAVEPOINT use")

    def undo(self) -> None:
        self.say(b"ROLLBACK")

    def keep(self) -> None:
        self.say(b"COMMIT")

    def clear(self) -> None:
        """Outside a transaction: make room of what was undone."""
        for table in TABLES:
            self.say(f'VACUUM "{self.address.schema}".durable_{table}'.encode())

    def say(self, commands: bytes) -> None:
        """Beside psycopg, which would forget its prepared statements at each rollback."""
        said = self.connection.pgconn.exec_(commands)
        assert said.status == psycopg.pq.ExecStatus.COMMAND_OK, said.error_message

    def safely(self, work: Callable[[], T], *, writes: bool = True) -> T:
        """What ``work`` gives; if it fails, nothing of it has happened, and the error is as the store tells of it."""
        try:
            result = work()
        except Exception as error:
            self.say(b"ROLLBACK TO use")
            explained = explain(error, self.address)
            raise explained from (error if explained is not error else error.__cause__)
        if writes:
            self.say(b"RELEASE use; SAVEPOINT use")
        return result

    def do(self, rounds: Rounds[T], *, writes: bool = True) -> T:
        """All rounds of a work."""
        return self.safely(lambda: self._do(rounds), writes=writes)

    def _do(self, rounds: Rounds[T]) -> T:
        try:
            statements = next(rounds)
            while True:
                statements = rounds.send([self._execute(*statement) for statement in statements])
        except StopIteration as end:
            result: T = end.value
            return result

    def _execute(self, name: str, values: Any) -> Cursor:
        return self.connection.execute(query(name, self.address.schema), values, prepare=True, binary=True)

    def close(self) -> None:
        self.connection.close()


def fill(database: Database) -> None:
    """Instances "a" and others that are owned, wait, are left, have failed and are stuck."""
    dead = database.owners.register(Owner.current(), 30.0)
    for number, name in enumerate((*NAMES, *OTHERS)):
        rounds = lives.begin(name, dead, number + 1, state(0, "pending"), CALL, NO_ORIGIN, Suspects(), None)
        begun, owned = database.do(rounds)
        status = "waiting" if name == "a/waits" else "running"
        database.do(lives.commit(begun.claim, state(1, status, time.time()), {"key": b"segment"}, False, owned))
        database.do(lives.keep_key(begun.claim, "key", b"digest"))
        database.do(messages.publish(name, "event", b"payload", f"event of {name}"))
        if name == "a/ended":
            database.do(lives.end(begun.claim, state(2, "completed"), False, 0))
        elif name not in ("a", *OTHERS):
            failure = Failure("an error", 3, name == "a/stuck") if name in ("a/stuck", "a/again") else None
            database.do(lives.release(begun.claim, True, failure))
    database.do(messages.save_source("digest", "text"))


class Altered(NamedTuple):
    """What was done, and to which instances."""

    told: str
    names: tuple[str, ...]


def alter(database: Database, chance: random.Random) -> Altered | None:
    """Put something else into a cell of an instance "a...", of an owner or of what is common, or remove a row; None: the database
    refuses it, or there is no row."""
    table = chance.choice(TABLES)
    full = f'"{database.address.schema}".durable_{table}'
    mine = "WHERE key <> ALL(%s)" if table != "owner" else ""
    others = [[row_key(name) for name in OTHERS]] if mine else []
    key = "key" if mine else "NULL"
    rows = database.connection.execute(f"SELECT ctid::text, {key} FROM {full} {mine} ORDER BY ctid", others).fetchall()
    if not rows:
        return None
    row, its = chance.choice(rows)
    name = _NAMES.get(its)
    names = (name,) if name is not None else NAMES
    if chance.random() < 0.1:
        database.safely(lambda: database.connection.execute(f"DELETE FROM {full} WHERE ctid = %s::tid", [row]))
        return Altered(f"{table} {row} is gone", names)
    column, kind = chance.choice(database.columns[table])
    put = chance.choice((None, *VALUES[kind]))
    try:
        database.safely(lambda: database.connection.execute(f"UPDATE {full} SET {column} = %s WHERE ctid = %s::tid", [put, row]))
    except DurableError:
        return None
    return Altered(f"{table}.{column} of {row} is {put!r:.60}", names)


def uses(database: Database, owner: int, names: Sequence[str], chance: random.Random) -> Iterator[Callable[[], Any]]:
    """What is done with a store, and with the instances that were altered."""
    asked: tuple[dict[str, Any], ...] = (
        {}, {"limit": 1}, {"status": "running"}, {"status": STUCK}, {"function": "app:main"}, {"prefix": "a"},
    )  # fmt: skip
    for each in asked:
        yield partial(_list, database, InstanceQuery(**each))
    yield database.owners.owners
    yield lambda: _claim(database, owner)
    yield lambda: database.do(messages.pending(owner, 0), writes=False)
    for name in chance.sample(names, len(names)):
        for look in (looking.load, looking.summary, messages.load_events):
            yield partial(_look, database, partial(look, name))
        for some in (None, ("k",)):
            yield partial(_look, database, partial(looking.load_segments, name, some))
        yield partial(_do, database, partial(messages.publish, name, "again", b"", None))
        yield partial(_do, database, partial(lives.retry, name))
        yield partial(_live, database, name, owner, chance.random() < 0.5)
    yield lambda: database.do(lives.hasten())
    yield lambda: database.do(looking.remove_finished(0.0))
    yield lambda: database.do(messages.load_source("digest"), writes=False)
    for name in ("a", "a/left"):
        yield partial(_do, database, partial(looking.remove, name))


def _do(database: Database, work: Callable[[], Rounds[Any]]) -> None:
    database.do(work())


def _look(database: Database, work: Callable[[], Rounds[Any]]) -> None:
    database.do(work(), writes=False)


def _list(database: Database, asked: InstanceQuery) -> None:
    page = database.do(looking.list_page(asked), writes=False)
    if page.cursor is not None:
        database.do(looking.list_page(InstanceQuery(cursor=page.cursor)), writes=False)


def _live(database: Database, name: str, owner: int, ends: bool) -> None:
    begun, owned = database.do(lives.begin(name, owner, 77, state(0, "pending"), CALL, NO_ORIGIN, Suspects(), None))
    database.do(lives.note_hold(begun.claim, HoldRecord("what", 0.0), 1))
    database.do(lives.commit(begun.claim, state(5), {"key": b"other"}, True, owned))
    if ends:
        database.do(lives.end(begun.claim, state(6, "completed"), False, 0))
    else:
        database.do(lives.release(begun.claim, True, Failure("error", 2, False)))


def _claim(database: Database, owner: int) -> list[tuple[Begun, lives.Owned]]:
    return database.do(claiming.claim(owner, 99, 100, ("",), True, Suspects(), 9))


def check_others(database: Database, owner: int) -> None:
    """Those that nobody has altered are found, and go on."""
    found = {each.instance_id for each in database.do(looking.list_page(InstanceQuery()), writes=False).instances}
    assert found >= set(OTHERS), found
    for row in database.owners.owners():
        if row.id != owner:
            for _ in range(5):
                database.owners.bury(row.id, row.beat, 100)
    taken = _claim(database, owner)
    claimed = {begun.claim.instance_id: (begun, owned) for begun, owned in taken}
    assert len(claimed) == len(taken), "two have one id"
    assert set(OTHERS) <= set(claimed), claimed
    for name in OTHERS:
        begun, owned = claimed[name]
        assert begun.state is not None
        assert (begun.state, begun.call, len(begun.events or ())) == (state(1, wake_at=begun.state.wake_at), CALL, 1)
        database.do(lives.commit(begun.claim, state(2), None, True, owned))
        database.do(lives.end(begun.claim, state(3, "completed"), False, 0))
        kept = database.do(looking.load(name), writes=False)
        assert kept is not None
        assert kept.state.status == "completed"


def damage_once(database: Database, chance: random.Random) -> tuple[int, str]:
    """Alter some cells, use the store, and undo all that; gives how many were altered, and what was wrong, if something was."""
    database.begin()
    done: list[Altered] = []
    try:
        done += filter(None, (alter(database, chance) for _ in range(chance.randrange(1, MOST + 1))))
        names = sorted({name for each in done for name in each.names})
        owner = database.owners.register(Owner.current(), 30.0)
        for use in uses(database, owner, names, chance):
            try:
                use()
            except DurableError:
                continue
        check_others(database, owner)
    except Exception as error:
        return len(
            done
        ), f"{[each.told for each in done]}: {type(error).__name__}: {error} {traceback.extract_tb(error.__traceback__)[-1]}"
    else:
        return len(done), ""
    finally:
        database.undo()


def damage(url: str, times: int, seed: int) -> tuple[int, list[str]]:
    """So many alterations; gives how many there were, and what was wrong."""
    chance, altered, wrongs = random.Random(seed), 0, list[str]()
    with closing(Database(url)) as database:
        database.begin()
        fill(database)
        database.keep()
        for number in itertools.count():
            if number % CLEARED_EVERY == 0:  # what was undone is left in the tables, and makes each look at them slower
                database.clear()
                logger.info("%d alterations, %d uses of the store, %d went wrong", altered, number, len(wrongs))
            if altered >= times:
                break
            count, wrong = damage_once(database, chance)
            altered += count
            wrongs += [wrong] if wrong else []
    return altered, wrongs


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    logger.setLevel(logging.INFO)
    seed = int(sys.argv[2]) if sys.argv[2:] else random.randrange(1 << 30)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by a way on which the server is stopped
    server = PostgresServer()
    try:
        altered, wrongs = damage(server.url(), int(sys.argv[1]), seed)
    finally:
        server.remove()
    print(f"seed {seed}: {altered} alterations, {len(wrongs)} uses of the store went wrong")
    print("\n".join(wrongs[:20]))
    sys.exit(bool(wrongs))
