"""What the Postgres store does with events, owners, lists, transactions of users and children of a process."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from contextlib import AsyncExitStack

import psycopg
import pytest

from durable_import.errors import FencedError, InstanceBusyError, StoreError, StoreUnavailableError
from durable_import.stores.changes import Awaited
from durable_import.stores.postgres import instances as instances_module
from durable_import.stores.postgres.announcements import Announcer
from durable_import.stores.postgres.instances import PostgresStore
from durable_import.stores.state import InstanceQuery
from durable_import.stores.store import Kept
from durable_import.testing.contract import refused
from durable_import.testing.contract.store import CALL, PENDING, begin, bury, commit, names, put, register, saved
from tests.harness.pooler import Pooler
from tests.harness.postgres import PostgresServer
from tests.harness.store_processes import line_of, process
from tests.integration.test_postgres_store import KILL_ALL, claimed, opened

PUBLISH = """
async def main():
    await store.load("a")
    say("ready")
    for line in sys.stdin:
        await store.publish("a", "e", b"")
        say("published")
asyncio.run(main())
"""


@pytest.mark.parametrize("is_told", [True, False])
async def test_other_processes_wake_a_waiting_one(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    """The server tells of a change at once; where it cannot, looking now and then finds it."""
    monkeypatch.setattr(instances_module, "LOOK_SECONDS", 3600 if is_told else 0.3)
    if not is_told:
        monkeypatch.setattr(Announcer, "start", lambda _: None)
    store = opened(postgres_url)
    await put(store, "a", saved(1))
    with process(postgres_url, PUBLISH) as child:
        assert line_of(child) == "ready"
        for kill in (False, is_told):
            await store.wait_for_change(0.0)
            if kill:  # the listener connects again
                postgres_server.execute(KILL_ALL)
            waiting = asyncio.create_task(store.wait_for_change(3600))
            await asyncio.sleep(0.05)
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
            await asyncio.wait_for(waiting, 60)
            assert await asyncio.to_thread(line_of, child) == "published"
    assert len(await store.load_events("a")) == 2
    await store.close()


ENDS = """
async def main():
    owner = register(store)
    begun = {name: await begin(store, name, owner) for name in ("a", "b", "c")}
    for name in ("b", "c", "a"):
        await store.end(begun[name].claim, saved(1, "completed"), keeps=False)
        await asyncio.sleep(0.2)  # each is told by itself
asyncio.run(main())
"""


async def test_an_end_wakes_who_waits_for_it(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other instances wake nobody here, nor do beginnings; in this process neither."""
    monkeypatch.setattr(instances_module, "LOOK_SECONDS", 3600)
    store, awaited = opened(postgres_url), Awaited()
    bell = store._changes.bell
    with awaited.waiting_for("a"):
        await store.wait_for_change(0.0, awaited)
        while not bell.rings:  # it is heard what others do
            await asyncio.sleep(0.01)
        await store.wait_for_change(0.0, awaited)
        waiting = asyncio.create_task(store.wait_for_change(3600, awaited))
        before = bell.rings
        await put(store, "here", saved(1, "completed"))
        assert bell.rings == before
        with process(postgres_url, ENDS):
            await asyncio.wait_for(waiting, 60)
        assert bell.rings == before + 1
        assert await names(store, InstanceQuery(status="completed", order="oldest")) == ["here", "a", "b", "c"]
    await store.close()


async def test_no_event_is_lost_while_an_instance_comes_to_rest(postgres_url: str) -> None:
    """Whichever comes first, the instance is ready afterwards: neither looks at what the other had not committed yet."""
    store, other = opened(postgres_url), opened(postgres_url)
    owner = register(store)
    for number in range(60):
        name = f"i{number}"
        begun = await begin(store, name, owner)
        await commit(store, begun, saved(1, "waiting"))
        await asyncio.gather(store.release(begun.claim), other.publish(name, "e", b""))
    found = await claimed(store, 100, orphans=False)
    assert sorted(found) == sorted(f"i{number}" for number in range(60))
    await store.close()
    await other.close()


async def test_event_that_is_not_committed_yet_makes_the_rest_wait(
    postgres_server: PostgresServer, postgres_url: str, schema: str
) -> None:
    """A publisher has the instance's row: a release that comes meanwhile sees its event."""
    store = opened(postgres_url)
    begun = await begin(store, "a")
    await commit(store, begun, saved(1, "waiting"))
    with psycopg.connect(postgres_server.url()) as publisher:
        publisher.execute(
            f"INSERT INTO {schema}.durable_event (key, instance_id, name, published_at, payload) "
            f"SELECT key, instance_id, 'e', 1.0, '' FROM {schema}.durable_instance"
        )
        publisher.execute(f"SELECT FROM {schema}.durable_instance FOR NO KEY UPDATE")
        releasing = asyncio.create_task(store.release(begun.claim))
        await asyncio.sleep(0.1)
        publisher.commit()
    await releasing
    assert await claimed(store, 10, orphans=False) == ["a"]
    await store.close()


async def test_one_of_many_processes_begins(postgres_url: str) -> None:
    """Of several that begin one instance at the same moment one has it, and the others are told who."""
    stores = [opened(postgres_url) for _ in range(4)]
    for name in map(str, range(10)):
        answers = await asyncio.gather(*(begin(store, name) for store in stores), return_exceptions=True)
        assert sum(isinstance(answer, InstanceBusyError) for answer in answers) == 3
        assert [answer.is_new for answer in answers if not isinstance(answer, BaseException)] == [True]
    for store in stores:
        await store.close()


async def test_renewals_do_not_wait_for_instances(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """A lease has a row and a connection of its own: neither locks of instances nor a busy store keep it from running on."""
    store = opened(postgres_url, patience=5)
    owner = register(store)
    begun = await begin(store, "a", owner)
    with psycopg.connect(postgres_server.url()) as other:
        other.execute(f"LOCK TABLE {schema}.durable_state IN ACCESS EXCLUSIVE MODE")
        committing = asyncio.create_task(commit(store, begun, saved(1)))
        await asyncio.sleep(0.1)
        assert await asyncio.to_thread(store.renew, owner, 0, 5, 30.0)
        assert not await asyncio.to_thread(store.renew, owner, 0, 6, 30.0)
        assert not committing.done()
    await committing
    await store.close()


async def test_burial_passes_by_what_others_have_locked(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """It lets go of the rest, and of those the next time; until then the owner's row stays."""
    store = opened(postgres_url)
    owner = register(store)
    for name in ("a", "b", "c"):
        await begin(store, name, owner)
    with psycopg.connect(postgres_server.url()) as other:
        other.execute(f"SELECT FROM {schema}.durable_instance WHERE instance_id = 'b' FOR UPDATE")
        assert await asyncio.to_thread(store.bury, owner, 0, 10) == 2
        assert [(row.id, row.is_dead) for row in store.owners()] == [(owner, True)]
    assert await asyncio.to_thread(store.bury, owner, 0, 10) == 1
    assert await asyncio.to_thread(store.bury, owner, 0, 10) == 0
    assert store.owners() == []
    await store.close()


async def test_lists_use_long_beginnings_of_ids(postgres_url: str) -> None:
    """Also beginnings that are longer than what is in the index, and such with characters that are written in another way."""
    store, long = opened(postgres_url), "x" * 70
    for name in (f"{long}1", f"{long}2", "a\\b", "a\0b", "a\udc80b", "ab", "a%b"):
        await put(store, name, saved(1))
    for prefix, expected in (
        (long, [f"{long}1", f"{long}2"]),
        (f"{long}2", [f"{long}2"]),
        ("a\\", ["a\\b"]),
        ("a\0", ["a\0b"]),
        ("a\udc80", ["a\udc80b"]),
        ("a%", ["a%b"]),
    ):
        assert await names(store, InstanceQuery(prefix=prefix, order="oldest")) == expected
    assert len(await names(store, InstanceQuery(prefix="a"))) == 5
    with refused(ValueError, "no cursor"):
        await store.list(InstanceQuery(cursor='[1.0, "zz"]'))
    await store.close()


async def transaction_over(server: PostgresServer, url: str, schema: str) -> PostgresStore:
    """A store with a table of the user's beside its own."""
    store = opened(url)
    await put(store, "warm", saved(1))
    server.execute(f"CREATE TABLE {schema}.user_order (id int PRIMARY KEY)")
    return store


async def test_rows_and_state_are_committed_together(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Neither can be seen before the commit, both after it; a rollback leaves nothing, and may be repeated."""
    store = await transaction_over(postgres_server, postgres_url, schema)
    begun = await begin(store, "a")
    rows = f"SELECT id FROM {schema}.user_order ORDER BY id"
    for number, ends in ((1, "commit"), (2, "rollback"), (3, "commit")):
        opened_one = await store.begin_transaction()
        assert isinstance(opened_one.connection, psycopg.AsyncConnection)
        await opened_one.connection.execute(f"INSERT INTO {schema}.user_order VALUES ({number})")
        before = await store.load("a")
        if ends == "commit":
            await opened_one.commit(begun.claim, saved(number), {"k": b"%d" % number}, False)
            assert await store.load("a") == Kept(saved(number), CALL) != before
            assert await store.load_segments("a") == {"k": b"%d" % number}
        await opened_one.rollback()
        await opened_one.rollback()
    assert postgres_server.execute(rows) == [(1,), (3,)]
    await commit(store, begun, saved(4))
    assert await store.load_segments("a") == {}
    await store.close()


async def test_fenced_claim_rolls_the_rows_back(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """A stale owner's transaction is refused as a whole: its rows go with its state."""
    store = await transaction_over(postgres_server, postgres_url, schema)
    owner = register(store)
    stale = await begin(store, "a", owner)
    await bury(store, owner)
    await commit(store, await begin(store, "a"), saved(1))
    opened_one = await store.begin_transaction()
    await opened_one.connection.execute(f"INSERT INTO {schema}.user_order VALUES (7)")
    with refused(FencedError, "'a'"):
        await opened_one.commit(stale.claim, saved(2))
    assert postgres_server.execute(f"SELECT * FROM {schema}.user_order") == []
    assert await store.load("a") == Kept(saved(1), CALL)
    await store.close()


async def test_connection_is_the_users_for_the_transaction_only(
    postgres_server: PostgresServer, postgres_url: str, schema: str
) -> None:
    """A later transaction may have the same session, without what was set in it; the old connection is of no use any more."""
    store = await transaction_over(postgres_server, postgres_url, schema)
    begun, pids, kept = await begin(store, "a"), set[int](), list[psycopg.AsyncConnection[object]]()
    for number in range(4):
        opened_one = await store.begin_transaction()
        connection = opened_one.connection
        cursor = await connection.execute(
            "SELECT pg_backend_pid(), current_setting('search_path'), to_regclass('pg_temp.t')::text"
        )
        [(pid, path, temporary)] = await cursor.fetchall()
        assert (path, temporary) == ('"$user", public', None)
        pids.add(pid)
        connection.row_factory = psycopg.rows.dict_row
        for statement in ("SET search_path = pg_catalog", "CREATE TEMPORARY TABLE t (x int)", "SELECT 1", "SELECT 1"):
            await connection.execute(statement, prepare=True)
        kept.append(connection)
        if number == 1:
            await opened_one.rollback()
        else:
            await opened_one.commit(begun.claim, saved(number))
        assert connection.closed
        with pytest.raises(psycopg.OperationalError, match="closed"):
            await connection.execute("SELECT 1")
    assert len(pids) < 4
    await store.close()


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK", "close", "commit"])
async def test_transaction_that_the_user_has_ended_is_refused(postgres_url: str, end: str) -> None:
    """A user who ends it is told; the state is not committed without what belongs to it."""
    store = opened(postgres_url)
    begun = await begin(store, "a")
    opened_one = await store.begin_transaction()
    if end in ("close", "commit"):
        await getattr(opened_one.connection, end)()
    else:
        await opened_one.connection.execute(end)
    for _ in range(2):
        with refused(StoreError, "has ended before"):
            await opened_one.commit(begun.claim, saved(1))
    assert await store.load("a") == Kept(PENDING, CALL)
    await store.close()


async def test_transactions_take_turns(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """More at once than the pool has connections: all are done, and in several event loops."""
    store = await transaction_over(postgres_server, postgres_url, schema)

    async def once(number: int) -> None:
        begun = await begin(store, f"i{number}")
        opened_one = await store.begin_transaction()
        await opened_one.connection.execute(f"INSERT INTO {schema}.user_order VALUES ({number})")
        await opened_one.commit(begun.claim, saved(number))

    async def several(numbers: range) -> None:
        await asyncio.gather(*map(once, numbers))
        await store._pools.close()

    await asyncio.gather(several(range(15)), *(asyncio.to_thread(asyncio.run, several(range(n, n + 3))) for n in (15, 18)))
    found = postgres_server.execute(f"SELECT id FROM {schema}.user_order ORDER BY id")
    assert found == [(number,) for number in range(21)]
    await store.close()


async def test_cancelled_commit_still_happens(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """A commit that was begun happens even if the task that awaits it is cancelled, rows and state."""
    store = await transaction_over(postgres_server, postgres_url, schema)
    begun = await begin(store, "a")
    opened_one = await store.begin_transaction()
    await opened_one.connection.execute(f"INSERT INTO {schema}.user_order VALUES (7)")
    task = asyncio.create_task(opened_one.commit(begun.claim, saved(1)))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(60):
        while await store.load("a") != Kept(saved(1), CALL):
            await asyncio.sleep(0.02)
    assert postgres_server.execute(f"SELECT * FROM {schema}.user_order") == [(7,)]
    await store.close()


async def test_transaction_whose_connection_is_lost(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """If the connection breaks, rows and state are gone together, and the store goes on."""
    store = await transaction_over(postgres_server, postgres_url, schema)
    begun = await begin(store, "a")
    await commit(store, begun, saved(1))
    opened_one = await store.begin_transaction()
    await opened_one.connection.execute(f"INSERT INTO {schema}.user_order VALUES (1)")
    postgres_server.execute(KILL_ALL)
    with refused(StoreUnavailableError):
        await opened_one.commit(begun.claim, saved(2))
    assert postgres_server.execute(f"SELECT * FROM {schema}.user_order") == []
    assert await store.load("a") == Kept(saved(1), CALL)
    again = await store.begin_transaction()
    await again.connection.execute(f"INSERT INTO {schema}.user_order VALUES (1)")
    await again.commit(begun.claim, saved(3))
    assert await store.load("a") == Kept(saved(3), CALL)
    await store.close()


async def test_transaction_with_a_failed_statement(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """PostgreSQL commits nothing after an error: that is said, unless the statement had a savepoint of its own."""
    store = await transaction_over(postgres_server, postgres_url, schema)
    begun = await begin(store, "a")
    insert = f"INSERT INTO {schema}.user_order VALUES (1)"
    for is_careful in (False, True):
        opened_one = await store.begin_transaction()
        await opened_one.connection.execute(insert)
        async with AsyncExitStack() as stack:
            stack.enter_context(pytest.raises(psycopg.errors.UniqueViolation))
            if is_careful:
                await stack.enter_async_context(opened_one.connection.transaction())
            await opened_one.connection.execute(insert)
        if is_careful:
            await opened_one.commit(begun.claim, saved(1))
        else:
            with refused(StoreError, "has failed before", "connection.transaction()"):
                await opened_one.commit(begun.claim, saved(1))
            assert await store.load("a") == Kept(PENDING, CALL)
    assert await store.load("a") == Kept(saved(1), CALL)
    assert postgres_server.execute(f"SELECT * FROM {schema}.user_order") == [(1,)]
    await store.close()


FORK = """
import secrets, threading, time
def once(name):
    async def main():
        begun = await begin(store, name, register(store, 30.0))
        opened = await store.begin_transaction()
        await opened.connection.execute("SELECT 1")
        await opened.commit(begun.claim, saved(1))
        await store.wait_for_change(0.0)
    asyncio.run(main())
once("parent")
children = []
for number in range(3):
    pid = os.fork()
    if not pid:
        once(f"child {number}")
        async def close():
            await store.close()
        asyncio.run(close())
        os._exit(0)
    children.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in children] == [0, 0, 0]
once("parent again")
async def end():
    say(len((await store.list(__import__("durable_import.stores.state").stores.state.InstanceQuery())).instances))
    await store.close()
asyncio.run(end())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
async def test_children_have_connections_of_their_own(postgres_server: PostgresServer, postgres_url: str) -> None:
    """A store that was in use before a fork is of use to parent and children; none ends the sessions of another."""
    with process(postgres_url, FORK) as child:
        assert await asyncio.to_thread(line_of, child) == "5"
        assert await asyncio.to_thread(child.wait, 60) == 0
    ended = "SELECT sessions_killed, sessions_abandoned FROM pg_stat_database WHERE datname = 'postgres'"
    assert postgres_server.execute(ended)


FORMER = """
import asyncio, sys
import psycopg
"""


async def test_database_of_an_earlier_release(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """What is there is brought up to date; what was owned is, until its owner is found dead; who still runs is refused."""
    made = ["instances", "event_ids"]
    from durable_import.stores import sql

    postgres_server.execute(f"CREATE SCHEMA {schema}")
    for (_, script), _name in zip(sql.migrations("postgres"), made, strict=False):
        postgres_server.execute(script.replace("SCHEMA.", f"{schema}."))
    postgres_server.execute(f"INSERT INTO {schema}.durable_import_format VALUES (2)")
    digest = "sha256(convert_to({0}, 'UTF8'))"
    for name, status, wake_at in (
        ("owned", "running", "NULL"),
        ("left", "running", "NULL"),
        ("waits", "waiting", "NULL"),
        ("has mail", "waiting", "NULL"),
        ("sleeps", "sleeping", "12.5"),
        ("done", "completed", "NULL"),
    ):
        ended = "99.0" if status == "completed" else "NULL"
        outcome = "'\\x01'" if status == "completed" else "''"
        key = digest.format(f"'{name}'")
        postgres_server.execute(
            f"INSERT INTO {schema}.instance VALUES ({key}, '{name}', '{status}', 3, 'app.py:7 main', 'app:main', {wake_at}, "
            f"90.0, {ended}, '\\xff0063616c6c', {outcome}, '\\x000a03')"
        )
        postgres_server.execute(f"INSERT INTO {schema}.segment VALUES ({key}, 'k', '\\x31')")
    owned, mail = digest.format("'owned'"), digest.format("'has mail'")
    postgres_server.execute(f"INSERT INTO {schema}.claim VALUES ({owned}, 5, '{{}}', 1.0, extract(epoch FROM now()) + 3600)")
    postgres_server.execute(
        f"INSERT INTO {schema}.event (key, instance_id, name, published_at, payload) VALUES ({mail}, 'has mail', 'e', 95.0, '')"
    )
    store = opened(postgres_url)
    for name, status in (("owned", "running"), ("waits", "waiting"), ("done", "completed")):
        kept = await store.load(name)
        assert kept is not None
        assert (kept.state.status, kept.state.checkpoint, kept.call) == (status, 3, CALL)
        assert await store.load_segments(name) == {"k": b"1"}
    me = register(store)
    assert await claimed(store, 10) == ["sleeps", "left", "has mail"]
    assert [event.name for event in await store.load_events("has mail")] == ["e"]
    with refused(InstanceBusyError, "'owned'"):
        await begin(store, "owned", me)
    [row] = [row for row in store.owners() if row.until > time.time() + 3000]
    assert await bury(store, row.id) == 1
    assert (await begin(store, "owned", me)).attempts == 1
    assert await store.remove_finished(10.0) == 1
    with pytest.raises(psycopg.errors.UndefinedTable):
        postgres_server.execute(f"SELECT epoch FROM {schema}.claim")
    assert len(postgres_server.execute(f"SELECT * FROM {schema}.instance")) == 5
    await store.close()


def test_tables_are_made_by_one_of_many(postgres_url: str) -> None:
    """Processes that open a new database at the same moment agree."""
    code = (
        "import asyncio, sys\nfrom durable_import.stores.url import open_store\n"
        "print(asyncio.run(open_store(sys.argv[1]).load('a')))"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, postgres_url], stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert [child.communicate(timeout=120)[0].strip() for child in children] == ["None"] * 4


@pytest.mark.slow
async def test_pooler_of_transactions_may_be_in_front(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """That is found out: nothing is kept in a session, and all works but being told of changes, which is looked for instead."""
    store = await transaction_over(postgres_server, postgres_url, schema)
    await store.close()
    pooler = Pooler(postgres_server.port)
    pooled = opened(f"postgresql://tester@127.0.0.1:{pooler.port}/postgres?schema={schema}")
    owner = await asyncio.to_thread(register, pooled)
    begun = await asyncio.gather(*(begin(pooled, f"i{number}", owner) for number in range(5)))
    for number in range(1, 8):
        await asyncio.gather(*(commit(pooled, each, saved(number), {"k": b"%d" % number}, False) for each in begun))
        await commit(pooled, begun[0], saved(number))
        assert await asyncio.to_thread(pooled.renew, owner, number - 1, number, 30.0)
    opened_one = await pooled.begin_transaction()
    for _ in range(7):
        await opened_one.connection.execute(f"SELECT id FROM {schema}.user_order WHERE id = %s", [1])
    await opened_one.connection.execute(f"INSERT INTO {schema}.user_order VALUES (1)")
    await opened_one.commit(begun[0].claim, saved(8))
    assert await pooled.publish("i1", "e", b"")
    async with asyncio.timeout(60):
        await pooled.wait_for_change(3600)
    await asyncio.gather(*(pooled.end(each.claim, saved(9, "completed"), keeps=False) for each in begun))
    assert len(await names(pooled, InstanceQuery(status="completed"))) == 5
    assert postgres_server.execute(f"SELECT * FROM {schema}.user_order") == [(1,)]
    assert pooler.refused > 0
    assert pooler.prepared == 0
    await pooled.close()
    pooler.close()


async def test_an_event_wakes_the_process_that_has_the_instance(postgres_server: PostgresServer, postgres_url: str) -> None:
    """Others are told only of what anybody may take up, or wait for."""
    store = opened(postgres_url)
    owner = register(store)
    await begin(store, "owned", owner)
    await store.wait_for_change(0.0)
    channel = f'"{store._announcer._task[2]}"'
    with psycopg.connect(postgres_server.url(), autocommit=True) as other:
        other.execute(f"LISTEN {channel}")
        while not other.execute(  # else nobody would hear it yet
            "SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE %s", [f"%{channel}%"]
        ).fetchall():
            await asyncio.sleep(0.01)
        told: list[str] = []
        for name, expected in (("owned", str(owner)), ("nobody's", "")):
            await store.publish(name, "event", b"")
            while not told or told[-1] != expected:
                told += [each.payload for each in other.notifies(timeout=0.02)]
                await asyncio.sleep(0.01)
        before = store._changes.bell.rings
        for owners in ("1", f"2,{owner}", "3", ""):
            other.execute(f"NOTIFY {channel}, '{owners}'")
            if owners in ("1", "3"):
                continue
            while store._changes.bell.rings == before:
                await asyncio.sleep(0.01)
            before += 1
            assert store._changes.bell.rings == before
    await store.close()
