"""The Postgres store when the server, the network or the clock misbehave, and what it refuses."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import psycopg
import pytest

from durable_import.errors import FencedError, InstanceBusyError, MissingKeyError, StoreError, StoreUnavailableError
from durable_import.stores import postgres as store_module
from durable_import.stores.contract import refused, state
from durable_import.stores.owner import Owner
from durable_import.stores.postgres import PostgresStateStore
from durable_import.stores.postgres_address import Address
from durable_import.stores.postgres_connection import Session, explain
from durable_import.stores.url import key_for, open_store
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import Proxy
from tests.harness.store_processes import line_of, process

KILL_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'durable_import'"


@pytest.fixture
def schema(request: pytest.FixtureRequest, postgres_server: PostgresServer) -> Iterator[str]:
    """The name of a schema that does not exist yet."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    yield name
    postgres_server.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")


@pytest.fixture
def url(postgres_server: PostgresServer, schema: str) -> str:
    return postgres_server.url(schema=schema)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_server_that_stops_and_starts(postgres_server: PostgresServer, url: str, how: signal.Signals) -> None:
    """While the server is down the store says so; when it is up again it goes on under the same claim, and nothing is lost."""
    store = PostgresStateStore(url, patience=3)
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


async def test_idle_connection_that_was_ended_is_replaced(postgres_server: PostgresServer, url: str) -> None:
    """A connection that is lost while nothing is being done is no error: the next use makes another one."""
    store = PostgresStateStore(url)
    await store.save("a", state(1))
    postgres_server.execute(KILL_ALL)
    assert await store.load("a") == state(1)
    await store.close()


async def test_connections_killed_in_the_middle(postgres_server: PostgresServer, url: str) -> None:
    """However often the connection is killed, each commit happens or says that it did not, and can be tried again."""
    store, failures = PostgresStateStore(url), 0
    claim = await store.acquire("a", Owner.current())
    done = threading.Event()

    def kill() -> None:
        with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
            while not done.wait(0.003):
                connection.execute(KILL_ALL)

    killer = threading.Thread(target=kill)
    killer.start()
    for number in range(1, 60):
        for _ in range(50):
            try:
                await store.commit_segments(claim, state(number), {"k": b"%d" % number}, is_whole=False)
                break
            except StoreUnavailableError:
                failures += 1
    done.set()
    killer.join()
    assert failures > 0
    assert await store.load("a") == state(59)
    assert await store.load_segments("a") == {"k": b"59"}
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


async def test_server_that_does_not_answer_is_an_error(postgres_server: PostgresServer, url: str) -> None:
    """A stuck server, or a dead network, ends in an error after the patience, and the event loop runs on meanwhile."""
    store = PostgresStateStore(url, patience=0.5)
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    postgres_server.freeze(True)
    try:
        begun = time.monotonic()
        commit = asyncio.create_task(store.commit(claim, state(2)))
        worst = 0.0
        while not commit.done():
            before = time.perf_counter()
            await asyncio.sleep(0.01)
            worst = max(worst, time.perf_counter() - before)
        with refused(StoreUnavailableError, "has been lost"):
            await commit
        assert time.monotonic() - begun < 30
        assert worst < 0.5
    finally:
        postgres_server.freeze(False)
    await store.commit(claim, state(3))
    assert await store.load("a") == state(3)
    await store.close()


@pytest.mark.parametrize("skew", [86400.0, -86400.0])
async def test_clock_of_the_client_does_not_matter(url: str, monkeypatch: pytest.MonkeyPatch, skew: float) -> None:
    """Leases run by the database's clock: a machine whose clock is a day off neither takes over nor is taken over."""
    real, right, wrong = time.time, PostgresStateStore(url), PostgresStateStore(url)
    await right.acquire("a", Owner.current(), 30.0)
    await right.commit(await right.acquire("w", Owner.current(), 1.0), state(1))
    monkeypatch.setattr(time, "time", lambda: real() + skew)
    with pytest.raises(InstanceBusyError, match=r"for (30|2\d) s more"):
        await wrong.acquire("a", Owner.current())
    claim = await wrong.acquire("b", Owner.current(), 30.0)
    assert await wrong.find_work(10, orphans=True) == []
    assert await wrong.remove_finished(0.0) == 0
    await wrong.renew([claim], 30.0)
    await asyncio.sleep(1.1)
    assert await wrong.find_work(10, orphans=True) == ["w"]
    monkeypatch.setattr(time, "time", real)
    with pytest.raises(InstanceBusyError, match=r"for (30|2\d) s more"):
        await right.acquire("b", Owner.current())
    await right.close()
    await wrong.close()


async def test_stale_owner_cannot_slip_in_while_it_is_taken_over(url: str) -> None:
    """Owners that take one instance from each other and commit at once: the state is always that of the newest claim."""
    stores = [PostgresStateStore(url) for _ in range(4)]
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


async def test_transaction_that_the_server_gives_up_is_repeated(url: str) -> None:
    """Serialization failures and deadlocks are no error: the transaction begins again, with all its jobs."""
    store, attempts = PostgresStateStore(url), []

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


async def test_deadlock_with_another_program_is_survived(postgres_server: PostgresServer, url: str, schema: str) -> None:
    """Whoever of the two the server chooses, the store's work is done in the end."""
    store = PostgresStateStore(url)
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


async def test_concurrent_commits_share_transactions(postgres_server: PostgresServer, url: str, schema: str) -> None:
    """A hundred commits at once need a handful of transactions, and the fenced one among them is refused alone."""
    store = PostgresStateStore(url)
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


async def test_one_bad_commit_does_not_harm_its_neighbours(url: str) -> None:
    """When a transaction of many fails, each commit is tried on its own; the culprit alone fails, and not as unavailable."""
    store = PostgresStateStore(url)
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


async def test_lock_held_for_long_is_reported(postgres_server: PostgresServer, url: str, schema: str) -> None:
    """After its patience the store says that another transaction is in the way, once for all that wait; then it goes on."""
    store = PostgresStateStore(url, patience=0.3)
    claims = [await store.acquire(f"i{n}", Owner.current()) for n in range(20)]
    with psycopg.connect(postgres_server.url()) as other:
        other.execute(f"LOCK TABLE {schema}.claim IN ACCESS EXCLUSIVE MODE")
        begun = time.monotonic()
        answers = await asyncio.gather(*(store.commit(claim, state(1)) for claim in claims), return_exceptions=True)
        assert time.monotonic() - begun < 3
    for answer in answers:
        with refused(StoreUnavailableError, "another transaction"):
            raise answer  # type: ignore[misc]
    await asyncio.gather(*(store.commit(claim, state(2)) for claim in claims))
    await store.close()


def test_several_threads_use_one_store(url: str) -> None:
    """Event loops in different threads share one store object, as a heartbeat does."""
    store = PostgresStateStore(url)
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


PUBLISH = """
async def main():
    await store.load("a")
    say("ready")
    for line in sys.stdin:
        await store.publish_event("a", "e", b"")
        say("published")
asyncio.run(main())
"""


@pytest.mark.parametrize("is_told", [True, False])
async def test_other_processes_wake_a_waiting_one(
    postgres_server: PostgresServer, url: str, monkeypatch: pytest.MonkeyPatch, is_told: bool
) -> None:
    """The server tells of a change at once; where it cannot, looking now and then finds it."""
    monkeypatch.setattr(store_module, "LOOK_SECONDS", 60.0 if is_told else 0.3)
    if not is_told:
        monkeypatch.setattr(store_module.Listener, "start", lambda _: None)
    store = PostgresStateStore(url)
    await store.save("a", state(1))
    with process(url, PUBLISH) as child:
        assert line_of(child) == "ready"
        for kill in (False, is_told):
            await store.wait_for_change(0.0)
            if kill:  # the listener connects again
                postgres_server.execute(KILL_ALL)
                await asyncio.sleep(1.0)
            waiting = asyncio.create_task(store.wait_for_change(20))
            await asyncio.sleep(0.5)
            begun = time.monotonic()
            assert child.stdin is not None
            child.stdin.write("go\n")
            child.stdin.flush()
            await waiting
            assert time.monotonic() - begun < 5
            assert await asyncio.to_thread(line_of, child) == "published"
    assert len(await store.load_events("a")) == 2
    await store.close()


def read_only(server: PostgresServer, schema: str) -> str:
    return server.url(schema=schema, options="-c%20default_transaction_read_only%3Don")


def no_such_database(server: PostgresServer, schema: str) -> str:
    return server.url("nowhere", schema=schema)


def no_such_user(server: PostgresServer, schema: str) -> str:
    return server.url(schema=schema).replace("tester@", "stranger:secret%2Fword@")


def few_connections(server: PostgresServer, schema: str) -> str:
    server.execute("DROP ROLE IF EXISTS crowded")
    server.execute("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    return server.url(schema=schema).replace("tester@", "crowded:secret%2Fword@")


def no_rights(server: PostgresServer, schema: str) -> str:
    server.execute("DROP ROLE IF EXISTS guest")
    server.execute("CREATE ROLE guest LOGIN")
    return server.url(schema=schema).replace("tester@", "guest:secret%2Fword@")


def narrow_encoding(server: PostgresServer, schema: str) -> str:
    server.execute("DROP DATABASE IF EXISTS narrow")
    server.execute("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0")
    return server.url("narrow", schema=schema)


def their_tables(server: PostgresServer, schema: str) -> str:
    server.execute(f"CREATE SCHEMA {schema} CREATE TABLE event (x int)")
    return server.url(schema=schema)


def newer(server: PostgresServer, schema: str) -> str:
    server.execute(f"CREATE SCHEMA {schema} CREATE TABLE durable_import_format (version int)")
    server.execute(f"INSERT INTO {schema}.durable_import_format VALUES (9)")
    return server.url(schema=schema)


def nobody_there(server: PostgresServer, schema: str) -> str:  # noqa: ARG001
    return f"postgresql://tester:secret%2Fword@127.0.0.1:1/x?schema={schema}"


@pytest.mark.parametrize(
    ("arrange", "words"),
    [
        (read_only, "is read-only"),
        (no_such_database, 'cannot be connected to.*"nowhere" does not exist'),
        (no_such_user, 'cannot be connected to.*"stranger" does not exist'),
        (few_connections, "too many connections"),
        (no_rights, "grant CREATE on the database"),
        (narrow_encoding, "has the encoding LATIN1"),
        (their_tables, "belongs to another program: it has the tables event"),
        (newer, "has format 9, this durable_import knows up to 1"),
        (nobody_there, "cannot be connected to.*Start the server"),
    ],
)
async def test_what_the_server_refuses(
    postgres_server: PostgresServer, schema: str, caplog: pytest.LogCaptureFixture,
    arrange: Callable[[PostgresServer, str], str], words: str,
) -> None:  # fmt: skip
    """Each refusal says what to do, names the place, and shows no password, neither in errors nor in the log."""
    caplog.set_level(logging.DEBUG)
    store = PostgresStateStore(arrange(postgres_server, schema))
    with pytest.raises(StoreUnavailableError, match=words) as caught:
        await store.save("a", state(1))
    assert f"schema={schema}" in str(caught.value) or f"schema {schema}" in str(caught.value)
    shown = [str(caught.value), repr(caught.value.__cause__), repr(store), caplog.text, repr(store.address)]
    assert not any("secret" in each for each in shown)
    await store.close()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (psycopg.errors.DiskFull, "its disk is full"),
        (psycopg.errors.TooManyConnections, "too many connections"),
        (psycopg.errors.AdminShutdown, "is shutting down"),
        (psycopg.errors.QueryCanceled, "time limit"),
        (psycopg.errors.LockNotAvailable, "locked by another transaction"),
        (psycopg.errors.UndefinedTable, "has lost the store's tables"),
        (psycopg.errors.ConnectionFailure, "the connection broke"),
        (psycopg.errors.DataCorrupted, "damaged data"),
        (psycopg.errors.FeatureNotSupported, "Repair what PostgreSQL names"),
    ],
)
def test_words_for_what_servers_say(kind: type[psycopg.Error], words: str) -> None:
    """What cannot be made to happen here is said in words too, and the original error stays the cause."""
    error = kind("as the server says it")
    explained = explain(error, Address.of("postgresql://me:secret@h/db"))
    assert isinstance(explained, StoreUnavailableError)
    assert words in str(explained)
    assert "as the server says it" in str(explained)
    assert explained.__cause__ is error


async def test_tables_that_were_dropped_are_not_made_again(postgres_server: PostgresServer, url: str, schema: str) -> None:
    """A store whose tables are dropped while it is in use says so instead of starting with empty ones."""
    store = PostgresStateStore(url)
    claim = await store.acquire("a", Owner.current())
    postgres_server.execute(f"DROP SCHEMA {schema} CASCADE")
    with refused(StoreUnavailableError, "has lost the store's tables"):
        await store.commit(claim, state(1))
    await store.close()


async def test_schema_may_be_shared_with_other_tables(postgres_server: PostgresServer) -> None:
    """Tables of other names in the schema are left alone, also in ``public``."""
    postgres_server.execute("DROP DATABASE IF EXISTS shared")
    postgres_server.execute("CREATE DATABASE shared")
    postgres_server.execute("CREATE TABLE orders (id int)", "shared")
    store = PostgresStateStore(postgres_server.url("shared", schema="public"))
    await store.save("a", state(1))
    assert await store.load("a") == state(1)
    await store.close()
    [(default,)] = postgres_server.execute("SELECT to_regclass('public.orders')::text", "shared")
    assert default == "orders"


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


async def test_ids_are_readable_in_the_tables(postgres_server: PostgresServer, url: str, schema: str) -> None:
    """Whoever looks at the tables finds plain ids and owners as they are."""
    store = PostgresStateStore(url)
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
