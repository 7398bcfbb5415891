"""What a look at a PostgreSQL store reads does not grow with what is in it: no statement goes through all instances."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import pytest

from durable_import.stores.owner import Owner
from durable_import.stores.postgres import claiming, lives, looking, messages
from durable_import.stores.postgres.columns import AGAIN, COMPLETED, FAILED, OWNED, READY, RESTS, STUCK
from durable_import.stores.state import NO_ORIGIN, STATUSES, Failure, HoldRecord, InstanceQuery
from durable_import.stores.suspects import Suspects
from tests.harness.postgres_damage import TABLES, Database
from tests.harness.row_damage import CALL, state

OTHER = 12345  # an owner
MOST = 2500  # rows of one table that a look may read; there are ten times as many
SHELVES = (  # status, owner, how many
    (OWNED, "running", OTHER, 10_000), (RESTS, "sleeping", None, 5_000), (COMPLETED, "completed", None, 10_000),
    (FAILED, "failed", None, 2_000), (STUCK, "running", None, 1_000), (AGAIN, "running", None, 50), (READY, "waiting", None, 50),
)  # fmt: skip
FILL = """
WITH added AS (
    INSERT INTO SCHEMA.durable_instance (key, instance_id, function, created_at, parent, shelf, due, ended_at)
    SELECT
        sha256(convert_to(name, 'UTF8')), name, 'app:f' || number %% 50, now - number, 'p' || number / 10, %(shelf)s,
        CASE WHEN %(shelf)s IN (2, 8) THEN now + 60 + number WHEN %(shelf)s = 1 THEN now - number END,
        CASE WHEN %(shelf)s IN (3, 4) THEN now - number END
    FROM generate_series(1, %(many)s) AS number, LATERAL (
        SELECT extract(epoch FROM now()) AS now, %(shelf)s || '-' || number AS name
    ) AS facts
    RETURNING key
), stated AS (
    INSERT INTO SCHEMA.durable_state (key, owner, epoch, status, checkpoint, location, updated_at, snapshot)
    SELECT key, %(owner)s::bigint, 7, %(status)s, 3, 'app.py:7 main', extract(epoch FROM now()), '' FROM added
), called AS (
    INSERT INTO SCHEMA.durable_call (key, call) SELECT key, '' FROM added
)
INSERT INTO SCHEMA.durable_tag (name, value, key) SELECT 'customer', left(encode(key, 'hex'), 2), key FROM added
"""
MORE = (
    "INSERT INTO SCHEMA.durable_owner (id, who, since, until, lease, beat) SELECT 12345, '{}', 0, 1e10, 30, 5",
    "INSERT INTO SCHEMA.durable_event (key, instance_id, name, published_at, payload) SELECT key, instance_id, 'e', "
    "extract(epoch FROM now()), '' FROM SCHEMA.durable_instance WHERE shelf IN (0, 1)",
    "INSERT INTO SCHEMA.durable_event_id (id, published_at) SELECT 'id' || number, extract(epoch FROM now()) "
    "FROM generate_series(1, 20000) AS number",
    "INSERT INTO SCHEMA.durable_outcome (key, outcome) SELECT key, '' FROM SCHEMA.durable_instance WHERE shelf IN (3, 4)",
    "INSERT INTO SCHEMA.durable_segment (key, name, data) SELECT key, 'n', '' FROM SCHEMA.durable_instance WHERE shelf IN (0, 2)",
)
READ = (
    "SELECT relname, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables WHERE schemaname = %s"
)
# Not "waiting": who rests is told from who sleeps by its state, and here few of many wait.
ASKED: tuple[dict[str, Any], ...] = (
    {}, *({"status": status} for status in (*STATUSES, "stuck") if status != "waiting"),
    {"function": "app:f3"}, {"function": "none"}, {"function": "app:f3", "status": "completed"},
    {"function": "none", "status": "running"}, {"prefix": "3-77"}, {"prefix": "none"}, {"prefix": "none", "status": "running"},
    {"tag": ("customer", "7a")}, {"tag": ("customer", "7a"), "status": "running"},
    {"tag": ("customer", "none"), "status": "failed"},
    {"parent": "p7"}, {"parent": "p7", "status": "running"}, {"since": 1e10}, {"since": 1e10, "status": "running"},
    {"order": "oldest"}, {"order": "oldest", "status": "running"},
)  # fmt: skip


class Use(NamedTuple):
    """What is done, and for messages what that is."""

    told: str
    work: Callable[[], Any]


def uses(database: Database, mine: int) -> Iterator[Use]:
    """Everything that is done with a store but counting."""
    for asked in ASKED:
        yield Use(f"list {asked}", partial(_pages, database, InstanceQuery(limit=20, **asked)))
    desk = database.owners
    yield Use("owners", desk.owners)
    yield Use("renew", partial(desk.renew, OTHER, 5, 5, 30.0))
    yield Use("register", partial(desk.register, Owner.current(), 30.0))
    works: list[tuple[str, Callable[[], Any]]] = [
        ("claim", partial(claiming.claim, mine, 99, 20, ("",), True, Suspects(), 9)),
        ("events of nobody", partial(messages.pending, mine, 10_000)),
        ("events", partial(messages.pending, OTHER, 10_000)),
        ("hasten", lives.hasten), ("clear", partial(looking.remove_finished, 9995.0)),
        ("was sent", partial(messages.was_published, "id7")),
        ("blobs", partial(looking.load_blobs, "", 20)), ("sources", partial(messages.has_old_sources, 0.0)),
    ]  # fmt: skip
    for name in ("0-7", "2-7", "3-7", "none"):
        for look in (looking.load, looking.summary, messages.load_events, looking.load_before, lives.retry, looking.remove):
            works.append((f"{look.__name__} {name}", partial(look, name)))
        works.append((f"segments of {name}", partial(looking.load_segments, name, None)))
        works.append((f"send to {name}", partial(messages.publish, name, "e", b"", "once")))
    for told, work in works:
        yield Use(told, lambda work=work: database.do(work()))  # type: ignore[misc]
    yield Use("a life", partial(_live, database, mine))
    yield Use("bury one that has nothing", partial(_bury_idle, database))


def _pages(database: Database, asked: InstanceQuery) -> None:
    page = database.do(looking.list_page(asked), writes=False)
    if page.cursor is not None:
        database.do(looking.list_page(replace(asked, cursor=page.cursor)), writes=False)


def _live(database: Database, mine: int) -> None:
    begun, owned = database.do(lives.begin("new", mine, 77, state(0, "pending"), CALL, NO_ORIGIN, Suspects(), None))
    database.do(lives.note_hold(begun.claim, HoldRecord("what", 0.0), 1))
    database.do(lives.keep_key(begun.claim, "key", b"digest"))
    database.do(lives.commit(begun.claim, state(5), {"key": b"other"}, True, owned))
    database.do(lives.release(begun.claim, True, Failure("error", 2, False)))


def _bury_idle(database: Database) -> None:
    into = f'"{database.address.schema}".durable_owner (id, who, since, until, lease, beat)'
    database.connection.execute(f"INSERT INTO {into} SELECT 7, '{{}}', 0, 0, 30, 5".encode())
    database.owners.bury(7, 5, 500)


@pytest.mark.slow
def test_no_look_grows_with_the_store(postgres_url: str) -> None:
    """Each reads few rows beside many thousands that are owned, sleep or have ended."""
    database = Database(postgres_url)
    schema = database.address.schema

    def run(text: str, values: Any = None) -> None:
        database.connection.execute(text.replace("SCHEMA.", f'"{schema}".').encode(), values)

    for shelf, status, owner, many in SHELVES:
        run(FILL, {"shelf": shelf, "status": status, "owner": owner, "many": many})
    for text in MORE:
        run(text)
    for table in (*TABLES, "tag", "event_id"):
        run(f"VACUUM ANALYZE SCHEMA.durable_{table}")
    much: list[str] = []
    database.begin()
    mine = database.owners.register(Owner.current(), 30.0)
    database.keep()
    for use in uses(database, mine):
        database.begin()
        before = _read(database)
        use.work()
        read = _read(database)
        read.subtract(before)
        much += [f"{use.told}: {rows} of {table}" for table, rows in read.items() if rows > MOST]
        database.undo()
    database.close()
    assert much == []


def _read(database: Database) -> Counter[str]:
    """How many rows of each table this session has read that the server has not counted yet."""
    return Counter(dict(database.connection.execute(READ, [database.address.schema]).fetchall()))
