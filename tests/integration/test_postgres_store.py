"""The Postgres store beyond the contract: servers and connections that end, hesitate or lie, and what is done together."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import re
import secrets
import signal
import sys
import threading
import time

import psycopg
import pytest

from durable_import.errors import (
    FencedError,
    InstanceBusyError,
    MissingKeyError,
    StoreRefusedError,
    StoreUnavailableError,
)
from durable_import.stores.owner import Owner
from durable_import.stores.postgres import pipeline as pipeline_module
from durable_import.stores.postgres import session as session_module
from durable_import.stores.postgres.announcements import Announcer
from durable_import.stores.postgres.instances import PostgresStore
from durable_import.stores.postgres.pipeline import Rounds, Work
from durable_import.stores.postgres.store import PostgresStateStore
from durable_import.stores.state import InstanceQuery
from durable_import.stores.store import Kept
from durable_import.stores.url import key_for, open_store
from durable_import.testing.contract import refused, state
from durable_import.testing.contract.store import CALL, begin, bury, commit, put, register, saved
from tests.harness.postgres import PostgresServer
from tests.harness.proxy import Proxy

KILL_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'durable_import'"


def opened(url: str, patience: float = 30.0) -> PostgresStore:
    """The full store of a URL."""
    return PostgresStateStore(url, patience=patience).instances


async def claimed(store: PostgresStore, count: int, *, orphans: bool = True) -> list[str]:
    """The ids of what a new owner takes up."""
    taken = await store.claim(register(store), secrets.randbits(62) | 1, count, orphans=orphans)
    return [each.claim.instance_id for each in taken]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT])
async def test_server_that_stops_and_starts(postgres_server: PostgresServer, postgres_url: str, how: signal.Signals) -> None:
    """While the server is down the store says so; when it is up again it goes on under the same claim, and nothing is lost."""
    store = opened(postgres_url, patience=3)
    owner = register(store)
    begun = await begin(store, "a", owner)
    await commit(store, begun, saved(1))
    postgres_server.stop(how)
    for _ in range(2):
        with refused(StoreUnavailableError, "cannot be connected to", "what was committed before is safe"):
            await commit(store, begun, saved(2))
        with refused(StoreUnavailableError, "what was committed before is safe"):
            store.renew(owner, 0, 1, 30.0)
    postgres_server.start()
    await commit(store, begun, saved(2))
    assert store.renew(owner, 0, 1, 30.0)
    assert await store.load("a") == Kept(saved(2), CALL)
    await store.close()


async def test_idle_connection_that_was_ended_is_replaced(postgres_server: PostgresServer, postgres_url: str) -> None:
    """A connection that is lost while nothing is being done is no error: the next use makes another one."""
    store = opened(postgres_url)
    owner = register(store)
    await put(store, "a", saved(1))
    postgres_server.execute(KILL_ALL)
    assert await store.load("a") == Kept(saved(1), CALL)
    assert store.renew(owner, 0, 1, 30.0)
    await store.close()


async def test_connections_killed_in_the_middle(postgres_server: PostgresServer, postgres_url: str) -> None:
    """However often the connection is killed, each commit happens or says that it did not, and can be tried again."""
    store, failures = opened(postgres_url), 0
    begun = await begin(store, "a")
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
                    await commit(store, begun, saved(number), {"k": b"%d" % number}, False)
                    break
                except StoreUnavailableError:
                    failures += 1
    finally:
        done.set()
        killer.join()
    assert await store.load("a") == Kept(saved(number), CALL)
    assert await store.load_segments("a") == {"k": b"%d" % number}
    await store.close()


@pytest.mark.parametrize("is_alone", [True, False])
async def test_commit_whose_answer_is_lost_is_safe_to_repeat(
    postgres_server: PostgresServer, schema: str, is_alone: bool
) -> None:
    """If the network breaks after a commit was sent, nobody knows whether it happened; once more gives the same."""
    armed = threading.Event()
    proxy = Proxy(postgres_server.port, lambda request: armed.is_set() and b"\x00\n" in request)  # the snapshot
    store = opened(f"postgresql://tester@127.0.0.1:{proxy.port}/postgres?schema={schema}")
    direct = opened(postgres_server.url(schema=schema))
    begun = await begin(store, "a")
    await commit(store, begun, saved(1), {"k": b"1", "gone": b""}, True)
    segments = None if is_alone else {"k": b"2", "gone": None}
    armed.set()
    with refused(StoreUnavailableError, "the connection broke", "once more does no harm"):
        await commit(store, begun, saved(2), segments, is_alone)
    armed.clear()
    assert await direct.load("a") == Kept(saved(2), CALL)
    await commit(store, begun, saved(2), segments, is_alone)
    assert await direct.load("a") == Kept(saved(2), CALL)
    assert await direct.load_segments("a") == ({} if is_alone else {"k": b"2"})
    await store.close()
    await direct.close()
    proxy.close()


async def test_begin_and_end_whose_answers_are_lost_are_safe_to_repeat(postgres_server: PostgresServer, schema: str) -> None:
    """The second begin with the same epoch finds what the first one has done; the second end is none that is refused."""
    armed = threading.Event()
    proxy = Proxy(postgres_server.port, lambda request: armed.is_set() and b"app:main" in request)  # the function
    store = opened(f"postgresql://tester@127.0.0.1:{proxy.port}/postgres?schema={schema}")
    owner, state = register(store), saved(0, "pending")
    await begin(store, "warm", owner)
    armed.set()
    with refused(StoreUnavailableError, "the connection broke"):
        await store.begin("a", owner, 7, state, CALL)
    armed.clear()
    again = await store.begin("a", owner, 7, state, CALL)
    assert (again.state, again.is_new, again.claim.epoch) == (state, True, 7)
    assert again.lives == 0
    armed.set()
    with refused(StoreUnavailableError, "the connection broke"):
        await store.end(again.claim, saved(1, "completed"), keeps=False)
    armed.clear()
    await store.end(again.claim, saved(1, "completed"), keeps=False)
    await store.close()
    proxy.close()


@pytest.mark.slow
async def test_server_that_does_not_answer_is_an_error(
    postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stuck server, or a dead network, ends in an error after the patience, and the event loop runs on meanwhile."""
    monkeypatch.setattr(pipeline_module, "GRACE", 0.1)
    monkeypatch.setattr(session_module, "GRACE", 0.1)
    store = opened(postgres_url, patience=1)
    owner = register(store)
    begun = await begin(store, "a", owner)
    await commit(store, begun, saved(1))
    with postgres_server.frozen():
        committing = asyncio.create_task(commit(store, begun, saved(2)))
        for _ in range(10):
            await asyncio.sleep(0.01)
        assert not committing.done()
        with refused(StoreUnavailableError, "the server has not answered in time"):
            await committing
        with refused(StoreUnavailableError, "the server has not answered in time"):
            await asyncio.to_thread(store.renew, owner, 0, 1, 3.0)
    await commit(store, begun, saved(3))
    assert await store.load("a") == Kept(saved(3), CALL)
    await store.close()


@pytest.mark.parametrize("skew", [86400.0, -86400.0])
async def test_clock_of_the_client_does_not_matter(postgres_url: str, monkeypatch: pytest.MonkeyPatch, skew: float) -> None:
    """Times are those of the database: a machine whose clock is a day off sees how long a lease runs, and clears nothing away."""
    right, wrong = opened(postgres_url), opened(postgres_url)
    owner = register(right, 3600)
    await begin(right, "a", owner)
    await put(right, "finished", saved(1, "completed"))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + skew)
    [row] = [row for row in wrong.owners() if row.id == owner]
    assert 3500 < row.until - time.time() <= 3600
    assert await wrong.remove_finished(3600) == 0
    assert await claimed(wrong, 10) == []
    monkeypatch.setattr(time, "time", real)
    await right.close()
    await wrong.close()


async def test_stale_owner_cannot_slip_in_while_it_is_taken_over(postgres_url: str) -> None:
    """Owners that are taken for dead while they commit: the state is always that of the newest claim."""
    stores = [opened(postgres_url) for _ in range(4)]
    newest: list[int] = []

    async def take(store: PostgresStore, number: int) -> None:
        for step in range(20):
            for row in await asyncio.to_thread(store.owners):
                if row.beat == 0:
                    await bury(store, row.id)
            try:
                begun = await begin(store, "a")
                newest.append(begun.claim.epoch)
                await commit(store, begun, saved(step)._replace(location=f"{begun.claim.epoch} {number}"))
            except (FencedError, InstanceBusyError):
                continue

    await asyncio.gather(*(take(store, number) for number, store in enumerate(stores)))
    last = await begin(stores[0], "b")
    for row in stores[0].owners():
        await bury(stores[0], row.id)
    with refused(FencedError):
        await commit(stores[0], last, saved(1))
    assert newest
    for store in stores:
        await store.close()


async def test_transaction_that_the_server_gives_up_is_repeated(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serialization failures and deadlocks are no error: the transaction begins again, with all its works."""
    store, attempts = opened(postgres_url), list[str]()
    await put(store, "a", saved(1))
    engine = pipeline_module.PostgresEngine
    send = engine._send

    def sends(self: pipeline_module.PostgresEngine, going: list[pipeline_module.Going]) -> object:
        cursors = send(self, going)
        attempts.append("")
        if len(attempts) < 5:
            code = ("40001", "40P01")[len(attempts) % 2]
            assert self._connection is not None
            self._connection.execute(f"DO $$ BEGIN RAISE EXCEPTION 'given up' USING ERRCODE = '{code}'; END $$")
        return cursors

    monkeypatch.setattr(engine, "_send", sends)
    begun = await begin(store, "a")
    await commit(store, begun, saved(2))
    assert len(attempts) >= 5
    assert await store.load("a") == Kept(saved(2), CALL)
    await store.close()


async def test_deadlock_with_another_program_is_survived(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Whoever of the two the server chooses, the store's work is done in the end."""
    store = opened(postgres_url)
    await asyncio.gather(*(put(store, name, saved(1)) for name in ("a", "b")))
    update = f"UPDATE {schema}.durable_state SET checkpoint = checkpoint + 1 WHERE key = "
    keys = sorted(key for (key,) in postgres_server.execute(f"SELECT key FROM {schema}.durable_state"))  # type: ignore[type-var]
    owner = register(store)
    begun = await asyncio.gather(*(begin(store, name, owner) for name in ("a", "b")))
    for _ in range(3):
        with psycopg.connect(postgres_server.url()) as other:
            other.execute(update + "%s", [keys[1]])
            committing = asyncio.gather(*(commit(store, each, saved(2)) for each in begun))
            await asyncio.sleep(0.05)
            try:
                await asyncio.to_thread(other.execute, update + "%s", [keys[0]])
                other.commit()
            except psycopg.errors.DeadlockDetected:
                other.rollback()
            await committing
    await store.close()


async def test_concurrent_commits_share_transactions(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """A hundred commits at once need a handful of transactions, and the fenced one among them is refused alone."""
    store = opened(postgres_url)
    owner = register(store)
    stale = await begin(store, "i7", owner)
    begun = await asyncio.gather(*(begin(store, f"i{n}", owner) for n in range(100)))
    answers = await asyncio.gather(
        commit(store, stale, saved(0)), *(commit(store, each, saved(1)) for each in begun), return_exceptions=True
    )
    assert isinstance(answers[0], FencedError)
    assert answers[1:] == [None] * 100
    [(transactions,)] = postgres_server.execute(f"SELECT count(DISTINCT xmin::text) FROM {schema}.durable_state")
    assert isinstance(transactions, int)
    assert transactions <= 20
    await store.close()


async def test_commits_touch_no_index(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Rows are changed in their page, whatever else instances are looked for by, as long as they have the same status."""
    store = opened(postgres_url)
    begun = await begin(store, "a", new=saved(0))
    for number in range(50):
        await commit(store, begun, saved(number))
        await asyncio.sleep(0)
    await store.close()  # a session tells what it has done when it ends
    count = f"SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_all_tables WHERE schemaname = '{schema}' AND relname = "
    deadline = time.monotonic() + 30
    while True:
        [(updates, hot)] = postgres_server.execute(f"{count}'durable_state'")
        if updates == 50 or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.05)
    assert updates == hot == 50
    assert postgres_server.execute(f"{count}'durable_instance'") == [(0, 0)]


@pytest.mark.parametrize("number", [2**70, 2**63])
async def test_one_bad_commit_does_not_harm_its_neighbours(postgres_url: str, number: int) -> None:
    """When a transaction of many fails, each commit is tried on its own; the culprit alone fails, and not as unavailable."""
    store = opened(postgres_url)
    owner = register(store)
    begun = [await begin(store, f"i{n}", owner) for n in range(10)]
    states = [saved(n)._replace(checkpoint=number if n == 4 else n) for n in range(10)]
    answers = await asyncio.gather(
        *(commit(store, each, last) for each, last in zip(begun, states, strict=True)), return_exceptions=True
    )
    assert [n for n, answer in enumerate(answers) if answer is not None] == [4]
    with refused(StoreRefusedError, "refuses the data", "22003"):
        raise answers[4]  # type: ignore[misc]
    assert await store.load("i9") == Kept(saved(9), CALL)
    await commit(store, begun[4], saved(5))
    await store.close()


async def test_statement_that_cannot_be_sent_commits_nothing(postgres_url: str) -> None:
    """What psycopg itself refuses in the middle of a pipeline undoes what was sent before; an event is not there twice."""
    store = opened(postgres_url)
    await put(store, "a", saved(1, "waiting"))

    def bad() -> Rounds[None]:
        yield [("load", {"key": object()})]

    publishing = [store.publish("a", "e", b"%d" % number) for number in range(5)]
    answers = await asyncio.gather(
        *publishing[:3], store._worker.call(lambda _: Work(b"", bad())), *publishing[3:], return_exceptions=True
    )
    assert isinstance(answers[3], StoreRefusedError)
    assert [each.payload for each in await store.load_events("a")] == [b"%d" % number for number in range(5)]
    await store.close()


async def test_rows_that_are_too_large_are_refused_before_they_are_sent(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server would end the connection, which looks as if it was away."""
    monkeypatch.setattr("durable_import.stores.state.LARGEST", 1000)
    store = opened(postgres_url)
    begun = await begin(store, "a")
    large = saved(1)._replace(snapshot=bytes(1001))
    for attempt in (
        commit(store, begun, large),
        commit(store, begun, saved(1), {"k": bytes(1001)}, False),
        store.end(begun.claim, saved(2, "completed")._replace(outcome=bytes(1001)), keeps=False),
        store.publish("a", "e", bytes(1001)),
        begin(store, "b", call=bytes(1001)),
    ):
        with pytest.raises(StoreRefusedError, match=r"1,001 bytes.*keeps more than"):
            await attempt
    await commit(store, begun, saved(1))
    await store.close()


async def test_lock_held_for_long_is_reported(
    postgres_server: PostgresServer, postgres_url: str, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After its patience the store says that another transaction is in the way, once for all that wait; then it goes on."""
    store = opened(postgres_url, patience=0.3)
    owner = register(store)
    begun = [await begin(store, f"i{n}", owner) for n in range(20)]
    with psycopg.connect(postgres_server.url()) as other:
        other.execute(f"LOCK TABLE {schema}.durable_state IN ACCESS EXCLUSIVE MODE")
        rounds = count_calls(monkeypatch, pipeline_module.PostgresEngine, "_send")
        answers = await asyncio.gather(*(commit(store, each, saved(1)) for each in begun), return_exceptions=True)
        assert len(rounds) < len(begun)
    for answer in answers:
        with refused(StoreUnavailableError, "another transaction"):
            raise answer  # type: ignore[misc]
    await asyncio.gather(*(commit(store, each, saved(2)) for each in begun))
    await store.close()


def test_several_threads_use_one_store(postgres_url: str) -> None:
    """Event loops in different threads share one store object, and keepers beside them."""
    store = opened(postgres_url)
    errors: list[BaseException] = []

    async def work(number: int) -> None:
        owner = register(store)
        begun = await begin(store, f"i{number}", owner)
        for step in range(20):
            await commit(store, begun, saved(step))
            assert await asyncio.to_thread(store.renew, owner, step, step + 1, 30.0)

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
    assert len(asyncio.run(store.list(InstanceQuery())).instances) == 4
    asyncio.run(store.close())


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
    store = opened(postgres_url)
    for _ in range(2):
        await put(store, "a", saved(1))
        await store.wait_for_change(0.0)
        assert len(threads_of_stores() - before) == 2  # worker and listener
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
    assert postgres_server.execute("SELECT count(*) FROM durable_import.durable_instance", "ours") == [(2,)]


def test_key_has_to_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shared store brings no key, and the error says how to make one."""
    monkeypatch.delenv("DURABLE_KEY", raising=False)
    with pytest.raises(MissingKeyError, match="token_hex"):
        key_for(PostgresStateStore("postgresql://h/db"))


async def test_ids_are_readable_in_the_tables(postgres_server: PostgresServer, postgres_url: str, schema: str) -> None:
    """Whoever looks at the view finds plain ids and owners as they are."""
    store = opened(postgres_url)
    who = Owner.current()
    begun = await begin(store, "order-42/ä\N{ROCKET}", store.register(who, 30.0))
    await commit(store, begun, saved(1))
    [(instance_id, shown)] = postgres_server.execute(f"SELECT instance_id, owner FROM {schema}.instance")
    assert instance_id == "order-42/ä\N{ROCKET}"
    assert json.loads(str(shown))["pid"] == who.pid
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
MISSING_POOL = """
import asyncio, sys
sys.modules["psycopg_pool"] = None
from durable_import.errors import MissingDriverError
from durable_import.stores.url import full_store, open_store
async def main():
    for _ in range(2):
        try:
            await full_store(open_store("postgresql://h/db")).begin_transaction()
        except MissingDriverError as error:
            print(error)
asyncio.run(main())
"""


@pytest.mark.parametrize("code", [MISSING, MISSING_POOL])
async def test_missing_driver_is_named(code: str) -> None:
    """Without psycopg, or its pool for transactions, the error names what to install."""
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    answer, _ = await child.communicate()
    assert answer.count(b"pip install 'durable-import[postgres]'") == 2


async def test_a_commit_is_one_round_trip(postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit alone is one statement."""
    monkeypatch.setattr(Announcer, "start", lambda _: None)  # which executes some by itself
    store = opened(postgres_server.url(schema="trips"))
    begun = await begin(store, "a")
    await commit(store, begun, saved(1))
    statements = count_calls(monkeypatch, psycopg.Connection, "execute")
    await commit(store, begun, saved(2))
    assert len(statements) == 1
    await store.delete("a")
    await store.close()
