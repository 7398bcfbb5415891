"""The Postgres store when the server, the network or the clock misbehave, and what it refuses."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
import signal
import sys
import threading
import time
from contextlib import AsyncExitStack
from functools import partial

import psycopg
import pytest

from durable_import.errors import FencedError, InstanceBusyError, MissingKeyError, StoreError, StoreUnavailableError
from durable_import.stores.owner import Owner
from durable_import.stores.postgres import connection as connection_module
from durable_import.stores.postgres import store as store_module
from durable_import.stores.postgres.connection import Session
from durable_import.stores.postgres.listener import Listener
from durable_import.stores.postgres.store import PostgresStateStore
from durable_import.stores.url import key_for, open_store
from durable_import.testing.contract import refused, state
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import Proxy
from tests.harness.store_processes import line_of, process

KILL_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'durable_import'"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_server_that_stops_and_starts(postgres_server: PostgresServer, postgres_url: str, how: signal.Signals) -> None:
    """While the server is down the store says so; when it is up again it goes on under the same claim, and nothing is lost."""
    store = PostgresStateStore(postgres_url, patience=3)
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    postgres_server.stop(how)
    for _ in range(2):
        with refused(StoreUnavailableError, "cannot be connected to", "what was committed before is safe"):
            await store.commit(claim, state(2))
    postgres_server.start()
    await store.commit(claim, state(2))
    assert await store.load("a") == state(2)
    await store.close()


async def test_idle_connection_that_was_ended_is_replaced(postgres_server: PostgresServer, postgres_url: str) -> None:
    """A connection that is lost while nothing is being done is no error: the next use makes another one."""
    store = PostgresStateStore(postgres_url)
    await store.save("a", state(1))
    postgres_server.execute(KILL_ALL)
    assert await store.load("a") == state(1)
    await store.close()


async def test_connections_killed_in_the_middle(postgres_server: PostgresServer, postgres_url: str) -> None:
    """However often the connection is killed, each commit happens or says that it did not, and can be tried again."""
    store, failures = PostgresStateStore(postgres_url), 0
    claim = await store.acquire("a", Owner.current())
    done, kills = threading.Event(), threading.Semaphore(0)

    def kill() -> None:
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            while not done.wait(random.uniform(0.0, 0.06)):
                if kills.acquire(blocking=False):  # a few for each commit, else a busy machine would never get one done
                    connection.execute(KILL_ALL)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        number = 0
        while number < 300 or not failures:  # a kill may find the connection idle each time, which is no failure
            number += 1
            kills.release(3)
            while True:
                try:
                    await store.commit_segments(claim, state(number), {"k": b"%d" % number}, is_whole=False)
                    break
                except StoreUnavailableError:
                    failures += 1
    finally:
        done.set()
        killer.join()
    assert await store.load("a") == state(number)
    assert await store.load_segments("a") == {"k": b"%d" % number}
    await store.close()


@pytest.mark.parametrize("moment", [b"COMMIT\0", b"INSERT INTO"])
async def test_commit_whose_answer_is_lost_is_safe_to_repeat(postgres_server: PostgresServer, schema: str, moment: bytes) -> None:
    """If the network breaks after a commit was sent, nobody knows whether it happened; once more gives the same."""
    armed = threading.Event()

    def cuts(request: bytes) -> bool:
        return armed.is_set() and moment in request

    proxy = Proxy(postgres_server.port, cuts)
    store = PostgresStateStore(f"postgresql://tester@127.0.0.1:{proxy.port}/postgres?schema={schema}")
    direct = PostgresStateStore(postgres_server.url(schema=schema))
    claim = await store.acquire("a", Owner.current())
    await store.commit_segments(claim, state(1), {"k": b"1", "gone": b""}, is_whole=True)
    armed.set()
    with refused(StoreUnavailableError, "the connection broke", "once more does no harm"):
        await store.commit_segments(claim, state(2), {"k": b"2", "gone": None}, is_whole=False)
    armed.clear()
    assert await direct.load("a") == state(2 if moment == b"COMMIT\0" else 1)
    await store.commit_segments(claim, state(2), {"k": b"2", "gone": None}, is_whole=False)
    assert await direct.load("a") == state(2)
    assert await direct.load_segments("a") == {"k": b"2"}
    await store.close()
    await direct.close()
    proxy.close()


async def test_server_that_does_not_answer_is_an_error(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stuck server, or a dead network, ends in an error after the patience, and the event loop runs on meanwhile."""
    monkeypatch.setattr(connection_module, "GRACE", 0.1)
    store = PostgresStateStore(postgres_url, patience=1)
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    with postgres_server.frozen():
        commit = asyncio.create_task(store.commit(claim, state(2)))
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert not commit.done()
        with refused(StoreUnavailableError, "cannot be connected to"):
            await commit
    await store.commit(claim, state(3))
    assert await store.load("a") == state(3)
    await store.close()


@pytest.mark.parametrize("skew", [86400.0, -86400.0])
async def test_clock_of_the_client_does_not_matter(postgres_url: str, monkeypatch: pytest.MonkeyPatch, skew: float) -> None:
    """Leases run by the database's clock: a machine whose clock is a day off neither takes over nor is taken over."""
    real, right, wrong = time.time, PostgresStateStore(postgres_url), PostgresStateStore(postgres_url)
    await right.acquire("a", Owner.current(), 3600)
    due = await right.acquire("w", Owner.current(), 3600)
    await right.commit(due, state(1))
    monkeypatch.setattr(time, "time", lambda: real() + skew)
    with pytest.raises(InstanceBusyError, match=r"for 3[56]\d\d s more"):
        await wrong.acquire("a", Owner.current())
    claim = await wrong.acquire("b", Owner.current(), 3600)
    assert await wrong.find_work(10, orphans=True) == []
    assert await wrong.remove_finished(0.0) == 0
    await wrong.renew([claim], 3600)
    await wrong.renew([due], 0.05)
    await asyncio.sleep(0.1)
    assert await wrong.find_work(10, orphans=True) == ["w"]
    monkeypatch.setattr(time, "time", real)
    with pytest.raises(InstanceBusyError, match=r"for 3[56]\d\d s more"):
        await right.acquire("b", Owner.current())
    await right.close()
    await wrong.close()


async def test_stale_owner_cannot_slip_in_while_it_is_taken_over(postgres_url: str) -> None:
    """Owners that take one instance from each other and commit at once: the state is always that of the newest claim."""
    stores = [PostgresStateStore(postgres_url) for _ in range(4)]
    last: dict[int, int] = {}

    async def take(store: PostgresStateStore, number: int) -> None:
        for step in range(40):
            try:
                claim = await store.acquire("a", Owner.current(), 0.0)
                found = claim.state
                assert found is None or found["checkpoint"] < claim.epoch
                await store.commit(claim, state(claim.epoch, location=f"{number}:{step}"))
                last[claim.epoch] = number
            except FencedError:
                pass

    await asyncio.gather(*(take(store, number) for number, store in enumerate(stores)))
    final = await stores[0].load("a")
    assert final is not None
    assert final["checkpoint"] == max(last)
    for store in stores:
        await store.close()


async def test_transaction_that_the_server_gives_up_is_repeated(postgres_url: str) -> None:
    """Serialization failures and deadlocks are no error: the transaction begins again, with all its jobs."""
    store, attempts = PostgresStateStore(postgres_url), []

    def work(code: str, session: Session) -> str:
        attempts.append(code)
        if attempts.count(code) < 3:
            session.connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '{code}'; END $$")
        return code

    answers = await asyncio.gather(
        store.save("a", state(1)), *(store._worker.call(partial(work, code)) for code in ("40001", "40P01"))
    )
    assert answers == [None, "40001", "40P01"]
    assert await store.load("a") == state(1)
    await store.close()


async def test_deadlock_with_another_program_is_survived(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Whoever of the two the server chooses, the store's work is done in the end."""
    store = PostgresStateStore(postgres_url)
    for name in ("a", "b"):
        await store.commit(await store.acquire(name, Owner.current()), state(1))
    update = f"UPDATE {schema}.instance SET checkpoint = checkpoint + 1 WHERE instance_id = "

    def both(session: Session) -> None:
        session.connection.execute(update + "'a'")
        time.sleep(0.05)
        session.connection.execute(update + "'b'")

    with psycopg.connect(postgres_server.url()) as other:
        other.execute(update + "'b'")
        work = asyncio.create_task(store._worker.call(both))
        await asyncio.sleep(0.02)
        try:
            await asyncio.to_thread(other.execute, update + "'a'")
            other.commit()
        except psycopg.errors.DeadlockDetected:
            other.rollback()
        await work
    await store.close()


async def test_concurrent_commits_share_transactions(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """A hundred commits at once need a handful of transactions, and the fenced one among them is refused alone."""
    store = PostgresStateStore(postgres_url)
    owner = Owner.current()
    stale = await store.acquire("i7", owner)
    claims = [await store.acquire(f"i{n}", owner) for n in range(100)]
    answers = await asyncio.gather(
        store.commit(stale, state(0)), *(store.commit(each, state(1)) for each in claims), return_exceptions=True
    )
    assert isinstance(answers[0], FencedError)
    assert answers[1:] == [None] * 100
    [(transactions,)] = postgres_server.execute(f"SELECT count(DISTINCT xmin::text) FROM {schema}.instance")
    assert isinstance(transactions, int)
    assert transactions <= 20
    await store.close()


async def test_one_bad_commit_does_not_harm_its_neighbours(postgres_url: str) -> None:
    """When a transaction of many fails, each commit is tried on its own; the culprit alone fails, and not as unavailable."""
    store = PostgresStateStore(postgres_url)
    owner = Owner.current()
    claims = [await store.acquire(f"i{n}", owner) for n in range(10)]
    answers = await asyncio.gather(
        *(store.commit(each, state(2**70 if n == 4 else n)) for n, each in enumerate(claims)), return_exceptions=True
    )
    assert [n for n, answer in enumerate(answers) if answer is not None] == [4]
    with refused(StoreError, "refuses the data", "22003"):
        raise answers[4]  # type: ignore[misc]
    assert not isinstance(answers[4], StoreUnavailableError)
    assert await store.load("i9") == state(9)
    await store.close()


async def test_lock_held_for_long_is_reported(
    postgres_server: PostgresServer, postgres_url: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its patience the store says that another transaction is in the way, once for all that wait; then it goes on."""
    store = PostgresStateStore(postgres_url, patience=0.3)
    claims = [await store.acquire(f"i{n}", Owner.current()) for n in range(20)]
    with psycopg.connect(postgres_server.url()) as other:
        other.execute(f"LOCK TABLE {schema}.claim IN ACCESS EXCLUSIVE MODE")
        waits = count_calls(monkeypatch, psycopg.Connection, "execute")
        answers = await asyncio.gather(*(store.commit(claim, state(1)) for claim in claims), return_exceptions=True)
        assert len(waits) < len(claims)
    for answer in answers:
        with refused(StoreUnavailableError, "another transaction"):
            raise answer  # type: ignore[misc]
    await asyncio.gather(*(store.commit(claim, state(2)) for claim in claims))
    await store.close()


def test_several_threads_use_one_store(postgres_url: str) -> None:
    """Event loops in different threads share one store object, as a heartbeat does."""
    store = PostgresStateStore(postgres_url)
    errors: list[BaseException] = []

    async def work(number: int) -> None:
        claim = await store.acquire(f"i{number}", Owner.current())
        for step in range(20):
            await store.commit(claim, state(step))
            assert await store.renew([claim]) == []

    def run(number: int) -> None:
        try:
            asyncio.run(work(number))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(asyncio.run(store.list())) == 4
    asyncio.run(store.close())


async def test_transaction_whose_connection_is_lost(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """If the connection breaks, rows and state are gone together, and the store goes on."""
    store = PostgresStateStore(postgres_url)
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    postgres_server.execute(f"CREATE TABLE {schema}.user_order (id int)")
    opened = await store.begin_transaction()
    await opened.connection.execute(f"INSERT INTO {schema}.user_order VALUES (1)")
    postgres_server.execute(KILL_ALL)
    with refused(StoreUnavailableError):
        await opened.commit(claim, state(2))
    assert postgres_server.execute(f"SELECT * FROM {schema}.user_order") == []
    assert await store.load("a") == state(1)
    await store.commit(claim, state(3))
    await store.close()


async def test_transaction_with_a_failed_statement(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """PostgreSQL commits nothing after an error: that is said, unless the statement had a savepoint of its own."""
    store = PostgresStateStore(postgres_url)
    claim = await store.acquire("a", Owner.current())
    postgres_server.execute(f"CREATE TABLE {schema}.user_order (id int PRIMARY KEY)")
    insert = f"INSERT INTO {schema}.user_order VALUES (1)"
    for is_careful in (False, True):
        opened = await store.begin_transaction()
        await opened.connection.execute(insert)
        async with AsyncExitStack() as stack:
            stack.enter_context(pytest.raises(psycopg.errors.UniqueViolation))
            if is_careful:
                await stack.enter_async_context(opened.connection.transaction())
            await opened.connection.execute(insert)
        if is_careful:
            await opened.commit(claim, state(1))
        else:
            with refused(StoreError, "has failed before", "connection.transaction()"):
                await opened.commit(claim, state(1))
            assert await store.load("a") is None
    assert await store.load("a") == state(1)
    assert postgres_server.execute(f"SELECT * FROM {schema}.user_order") == [(1,)]
    await store.close()


async def test_database_of_an_earlier_release(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """It gets the tables that it lacks when it is opened, and keeps what it has."""
    store = PostgresStateStore(postgres_url)
    await store.save("a", state(1))
    await store.close()
    postgres_server.execute(f"DROP TABLE {schema}.event_id")
    postgres_server.execute(f"UPDATE {schema}.durable_import_format SET version = 1")
    again = PostgresStateStore(postgres_url)
    assert await again.load("a") == state(1)
    assert await again.publish_once("a", "e", b"", "id")
    assert not await again.publish_once("a", "e", b"", "id")
    await again.close()


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
    monkeypatch.setattr(store_module, "LOOK_SECONDS", 3600 if is_told else 0.3)
    if not is_told:
        monkeypatch.setattr(Listener, "start", lambda _: None)
    store = PostgresStateStore(postgres_url)
    await store.save("a", state(1))
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


def count_calls(monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> list[object]:
    """The first argument of each call of a method from now on."""
    calls: list[object] = []
    method = getattr(owner, name)

    def note(self: object, first: object, *arguments: object, **keywords: object) -> object:
        calls.append(first)
        return method(self, first, *arguments, **keywords)

    monkeypatch.setattr(owner, name, note)
    return calls


def threads_of_stores() -> set[threading.Thread]:
    """Without those of stores in files, which are named by paths: one of another test may begin a thread at any time."""
    names = re.compile("durable_import (?!/)")
    return {thread for thread in threading.enumerate() if names.match(thread.name)}


@pytest.mark.parametrize("is_closed", [True, False])
async def test_threads_end_with_the_store(postgres_url: str, is_closed: bool) -> None:
    """A store that is closed, or forgotten, leaves no thread and no connection behind; a closed one can be used again."""
    before = threads_of_stores()
    store = PostgresStateStore(postgres_url)
    for _ in range(2):
        await store.save("a", state(1))
        await store.wait_for_change(0.0)
        assert len(threads_of_stores() - before) == 3  # worker, listener, watchdog
        if is_closed:
            await store.close()
    del store
    gc.collect()
    deadline = time.monotonic() + 60
    while threads_of_stores() - before and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    assert threads_of_stores() - before == set()


async def test_default_schema_is_our_own(postgres_server: PostgresServer) -> None:
    """Without ``schema`` in the URL the tables are in ``durable_import``; both ways to write the scheme are known."""
    postgres_server.execute("DROP DATABASE IF EXISTS ours")
    postgres_server.execute("CREATE DATABASE ours")
    for scheme in ("postgresql", "postgres"):
        store = open_store(postgres_server.url("ours").replace("postgresql", scheme))
        assert isinstance(store, PostgresStateStore)
        await store.save(scheme, state(1))
        await store.close()
    assert postgres_server.execute("SELECT count(*) FROM durable_import.instance", "ours") == [(2,)]


def test_key_has_to_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared store brings no key, and the error says how to make one."""
    monkeypatch.delenv("DURABLE_KEY", raising=False)
    with pytest.raises(MissingKeyError, match="token_hex"):
        key_for(PostgresStateStore("postgresql://h/db"))


async def test_ids_are_readable_in_the_tables(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Whoever looks at the tables finds plain ids and owners as they are."""
    store = PostgresStateStore(postgres_url)
    owner = Owner.current()
    await store.commit(await store.acquire("order-42/ä\N{ROCKET}", owner), state(1))
    found = postgres_server.execute(f"SELECT instance_id, owner FROM {schema}.instance JOIN {schema}.claim USING (key)")
    [(instance_id, shown)] = found
    assert instance_id == "order-42/ä\N{ROCKET}"
    assert json.loads(str(shown))["pid"] == owner.pid
    await store.close()


MISSING = """
import sys
sys.modules["psycopg"] = None
from durable_import.errors import MissingDriverError
from durable_import.stores.url import open_store
for _ in range(2):
    try:
        open_store("postgresql://h/db")
    except MissingDriverError as error:
        print(error)
"""


async def test_missing_driver_is_named() -> None:
    """Without psycopg the error names what to install."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", MISSING, stdout=asyncio.subprocess.PIPE)
    answer, _ = await child.communicate()
    assert answer.count(b"pip install 'durable-import[postgres]'") == 2


async def test_a_commit_is_one_round_trip(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit alone is one statement; one that was lost with its connection is made by another connection."""
    store = PostgresStateStore(postgres_server.url(schema="trips"))
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    statements = count_calls(monkeypatch, psycopg.Connection, "execute")
    await store.commit(claim, state(2))
    assert len(statements) == 1
    postgres_server.execute(KILL_ALL)
    await store.commit(claim, state(3))
    assert await store.load("a") == state(3)
    await store.close()
