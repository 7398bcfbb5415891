"""The contract over every embedded store, their URLs, keys, owners and the worker thread."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import gc
import json
import os
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from durable_import.errors import FencedError, MissingKeyError, StoreError, StoreUnavailableError, UnknownStoreError
from durable_import.stores.base import KeyedStore, OwningStore, SourceStore, StateStore, keeps_history
from durable_import.stores.contract import (
    HistoryStoreContract,
    SegmentStoreContract,
    StateStoreContract,
    TransactionStoreContract,
    WatchedStoreContract,
    WorkStoreContract,
    refused,
    state,
)
from durable_import.stores.disk import DiskStateStore
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.owner import Owner
from durable_import.stores.postgres import PostgresStateStore
from durable_import.stores.sqlite import SQLiteStateStore
from durable_import.stores.url import key_for, open_store
from durable_import.stores.worker import Job, Worker


class UsersStore(StateStore):
    """The least that a user implements."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {}

    async def load(self, instance_id: str) -> dict[str, Any] | None:
        found = self.states.get(instance_id)
        return dict(found) if found else None

    async def save(self, instance_id: str, state: dict[str, Any]) -> None:
        self.states[instance_id] = dict(state)


class TestUsersStore(StateStoreContract):
    survives = False

    def open(self, folder: Path) -> StateStore:  # noqa: ARG002
        return UsersStore()


class TestMemory(WorkStoreContract, WatchedStoreContract):
    survives = False

    def open(self, folder: Path) -> OwningStore:  # noqa: ARG002
        return InMemoryStateStore()


class TestDisk(WorkStoreContract, WatchedStoreContract):
    def open(self, folder: Path) -> OwningStore:
        return DiskStateStore(folder / "deep" / "store")


class TestMemoryWithHistory(HistoryStoreContract, WorkStoreContract):
    survives = False

    def open(self, folder: Path) -> OwningStore:  # noqa: ARG002
        return InMemoryStateStore(history=True)


class TestDiskWithHistory(HistoryStoreContract, WorkStoreContract):
    def open(self, folder: Path) -> OwningStore:
        return DiskStateStore(folder / "store", history=True)


class SQLiteContract(SegmentStoreContract, WorkStoreContract, WatchedStoreContract):
    """All that SQLite can do."""


class TestSQLite(SQLiteContract, TransactionStoreContract):
    def open(self, folder: Path) -> OwningStore:
        return SQLiteStateStore(folder / "deep" / "state.db")


class TestSQLiteWithHistory(SQLiteContract, TransactionStoreContract, HistoryStoreContract):
    def open(self, folder: Path) -> OwningStore:
        return SQLiteStateStore(folder / "state.db", history=True)


class TestSQLiteSynchronousNormal(SQLiteContract):
    def open(self, folder: Path) -> OwningStore:
        return SQLiteStateStore(folder / "state.db", synchronous="normal")


class TestSQLiteInMemory(SQLiteContract):
    survives = False

    def open(self, folder: Path) -> OwningStore:  # noqa: ARG002
        return SQLiteStateStore(":memory:")


FLAT = (
    {"value": 123}, {"status": "ok"}, {},
    {"a": [1, {"b": None}], "raw": b"\0\n", "t": True, "f": 0.5, "lone\udc80": "\udc80"},
)  # fmt: skip


@pytest.mark.parametrize("saved", FLAT)
async def test_memory_and_disk_take_any_flat_dict(saved: dict[str, Any], tmp_path: Path) -> None:
    """Plain ``save`` and ``load`` give back what a user's program has saved, as a copy; it is listed and is nobody's work."""
    for store in (InMemoryStateStore(), DiskStateStore(tmp_path / "store")):
        mine = copy.deepcopy(saved)
        await store.save("one", mine)
        mine["more"] = 1
        assert await store.load("one") == saved
        [summary] = await store.list()
        assert (summary.status, summary.checkpoint) == (saved.get("status", ""), 0)
        assert await store.find_work(10, orphans=True) == []
        assert await store.remove_finished(0.0) == 0
        assert (await store.acquire("one", Owner.current())).state == saved
        await store.close()


async def test_memory_copies_what_is_inside() -> None:
    """Objects of any class are kept, and changing them later changes nothing in the store."""
    store = InMemoryStateStore()
    mine = {"items": [1], "where": Path("x"), "what": {1, 2}}
    await store.save("one", mine)
    mine["items"].append(2)  # type: ignore[attr-defined]
    loaded = await store.load("one")
    assert loaded == {"items": [1], "where": Path("x"), "what": {1, 2}}
    loaded["items"].append(3)
    assert await store.load("one") == {"items": [1], "where": Path("x"), "what": {1, 2}}
    with refused(TypeError, "'lock'"):
        await store.save("two", {"lock": threading.Lock()})


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"when": Path("x")}, "'when'"),
        ({"a": 1, "items": [1, {"deep": (1, 2)}]}, "'items'[1]['deep']"),
        ({"by number": {1: "x"}}, "'by number' has the key 1"),
        ({7: "x"}, "not 7"),
        ({"inner": [b"bytes"]}, "'inner'[0]"),
    ],
)
async def test_disk_names_what_is_not_json(wrong: dict[Any, Any], place: str, tmp_path: Path) -> None:
    """What would come back as something else is refused with its key, and nothing is written."""
    store = DiskStateStore(tmp_path / "store")
    with refused(TypeError, place):
        await store.save("one", wrong)
    assert await store.load("one") is None
    await store.close()


async def test_sqlite_in_memory_has_no_transactions() -> None:
    """There is no second connection to such a database: the error says what to do."""
    store = SQLiteStateStore(":memory:")
    with refused(StoreError, "use a file"):
        await store.begin_transaction()


async def test_sqlite_takes_states_only(tmp_path: Path) -> None:
    """A table has columns: another dict is refused by ``save`` as by ``commit``."""
    store = SQLiteStateStore(tmp_path / "x.db")
    with refused(TypeError, "'snapshot'", "['value']"):
        await store.save("one", {"value": 123})
    await store.close()


async def test_folder_of_the_first_format_is_read(tmp_path: Path) -> None:
    """States that an older release wrote are found, and the folder gets the newest format when it is written to."""
    store = DiskStateStore(tmp_path)
    await store.save("a", state(1))
    [file] = (tmp_path / "instances").glob("*.state")
    head = {key: value for key, value in state(1).items() if key in ("status", "checkpoint", "location", "function")}
    head |= {"instance_id": "a", "updated_at": 1.5}
    file.write_bytes(json.dumps(head).encode() + b"\n" + state(1)["snapshot"])
    (tmp_path / "format").write_text("durable_import folder 1\n")
    assert await store.load("a") == state(1, call=b"")
    assert [each.updated_at for each in await store.list()] == [1.5]
    await store.save("b", state(2))
    assert (tmp_path / "format").read_text() == "durable_import folder 2\n"
    await store.close()


@pytest.fixture(params=["memory:", "disk://{}/store", "sqlite:///{}/state.db", "sqlite://"])
def embedded(request: pytest.FixtureRequest, tmp_path: Path) -> OwningStore:
    """Each embedded store, opened by its URL."""
    store = open_store(request.param.format(tmp_path))
    assert isinstance(store, OwningStore)
    return store


async def test_sources_are_kept_once(embedded: OwningStore) -> None:
    """The first text under a digest stays; an unknown digest has none."""
    assert isinstance(embedded, SourceStore)
    assert await embedded.load_source("d1") is None
    await embedded.save_source("d1", "def f():\r\n    'ü\udc80'\n")
    await embedded.save_source("d1", "other")
    assert await embedded.load_source("d1") == "def f():\r\n    'ü\udc80'\n"
    await embedded.close()


def test_key_of_an_embedded_store_stays_the_same(embedded: OwningStore) -> None:
    """Asking twice gives the same 32 bytes."""
    assert isinstance(embedded, KeyedStore)
    assert key_for(embedded) == key_for(embedded)
    assert len(key_for(embedded)) >= 32


@pytest.mark.parametrize("url", ["disk://{}/store", "sqlite:///{}/state.db"])
async def test_key_lies_beside_the_store_for_its_owner_only(url: str, tmp_path: Path) -> None:
    """The key file is <path>.key with mode 0600, and another process's store finds the same key."""
    store = open_store(url.format(tmp_path))
    key = key_for(store)
    (file,) = tmp_path.glob("*.key")
    assert file.stat().st_mode & 0o777 == 0o600
    assert key_for(open_store(url.format(tmp_path))) == key
    await store.save("a", state(1))
    file.unlink()
    with pytest.raises(MissingKeyError, match="Put the key file back"):
        key_for(store)
    assert isinstance(store, OwningStore)
    await store.close()


def test_memory_stores_have_keys_of_their_own() -> None:
    """A key in memory is random for each store."""
    assert key_for(open_store("memory:")) != key_for(open_store("memory:"))


def test_key_of_a_users_store_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that brings no key needs DURABLE_KEY, and the error says how to make one."""
    monkeypatch.delenv("DURABLE_KEY", raising=False)
    with pytest.raises(MissingKeyError, match="token_hex"):
        key_for(UsersStore())
    monkeypatch.setenv("DURABLE_KEY", "ab" * 32)
    assert key_for(UsersStore()) == b"\xab" * 32


@pytest.mark.parametrize(
    ("url", "kind", "path"),
    [
        ("memory:", InMemoryStateStore, None),
        ("memory://", InMemoryStateStore, None),
        ("disk:///var/lib/app", DiskStateStore, "/var/lib/app"),
        ("disk://folder/x", DiskStateStore, "{cwd}/folder/x"),
        ("sqlite:///rel.db", SQLiteStateStore, "{cwd}/rel.db"),
        ("sqlite:///.durable/state.db", SQLiteStateStore, "{cwd}/.durable/state.db"),
        ("sqlite:////var/abs.db", SQLiteStateStore, "/var/abs.db"),
        ("sqlite:////var/a%20%3F#b.db", SQLiteStateStore, "/var/a ?#b.db"),
        ("SQLite:////var/abs.db?synchronous=NORMAL", SQLiteStateStore, "/var/abs.db"),
        ("sqlite://", SQLiteStateStore, ":memory:"),
        ("sqlite:", SQLiteStateStore, ":memory:"),
        ("sqlite:///:memory:", SQLiteStateStore, ":memory:"),
    ],
)
def test_url_names_a_store(url: str, kind: type[StateStore], path: str | None) -> None:
    """Each known URL opens its store, and touches no file."""
    store = open_store(url)
    assert type(store) is kind
    if path is not None:
        assert getattr(store, "path") == path.format(cwd=os.getcwd())  # noqa: B009


@pytest.mark.parametrize(
    "url",
    ["", "state.db", "mysql://u:secret@h/db", "redis:", "sqlite:state.db", "sqlite://state.db", "disk:", "disk:///",
     "memory:x", "sqlite:///x?synchronous=off", "sqlite:///x?mode=ro", "disk:///x?y=1"],
)  # fmt: skip
def test_unknown_url_is_refused_with_the_known_ones(url: str) -> None:
    """The error lists every known scheme with an example, and repeats no password."""
    with pytest.raises(UnknownStoreError) as caught:
        open_store(url)
    for example in ("sqlite:///app.db", "sqlite://", "disk:///", "memory:"):
        assert example in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:secret@h:5433/app", "user=me host=h port=5433 dbname=app schema=durable_import"),
        ("postgres://me:a%2Fsecret@h/app?schema=ours&sslmode=require", "user=me host=h dbname=app schema=ours"),
        ("postgresql:///app?host=/run/pg&password=secret", "host=/run/pg dbname=app schema=durable_import"),
        ("postgresql://h1:1,h2:2/app?target_session_attrs=read-write", "host=h1,h2 port=1,2 dbname=app schema=durable_import"),
    ],
)
def test_postgres_url_keeps_its_password_to_itself(url: str, shown: str) -> None:
    """What libpq understands is passed on, and what is shown of it holds no password."""
    store = open_store(url)
    assert isinstance(store, PostgresStateStore)
    assert repr(store) == f"PostgresStateStore({shown!r})"
    assert "secret" not in repr(vars(store))


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:sec/ret@h/db", "postgresql://u:12/sec@h/db",
     "postgresql://u:secret@h:port/db", "postgresql://h/db?nonsense=secret",
     "postgresql://u:secret@h/db?schema=", "postgresql://u:secret@h/db?schema=a%22b", "postgresql://u:%zzsecret@h/db"],
)  # fmt: skip
def test_wrong_postgres_url_is_refused_in_words(url: str) -> None:
    """A URL that cannot be read is an error that says how one looks, and repeats nothing of it."""
    words = r"'postgresql://user:password@host:5432/database|is not the name of a schema"
    with pytest.raises(UnknownStoreError, match=words) as caught:
        open_store(url)
    assert "sec" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("url", ["memory:", "disk:///var/x", "sqlite:///x.db", "sqlite://"])
def test_url_asks_for_history(url: str) -> None:
    """``?history=true`` does, ``?history=false`` and nothing do not, and anything else is refused."""
    assert [keeps_history(open_store(url + query)) for query in ("", "?history=false", "?history=TRUE")] == [False, False, True]
    with pytest.raises(UnknownStoreError, match="history"):
        open_store(f"{url}?history=yes")


def test_store_given_is_given_back() -> None:
    """A store in place of a URL is used as it is."""
    store = UsersStore()
    assert open_store(store) is store


def test_owner_survives_json() -> None:
    """An owner read back from a store equals the one written."""
    owner = dataclasses.replace(Owner.current(), host="h\udc80ü")
    assert Owner.from_json(owner.to_json()) == owner


def test_what_may_be_alive_is_never_declared_dead() -> None:
    """This process lives, and nothing is known of another boot on a machine without an id."""
    here = Owner.current()
    assert not here.is_dead()
    assert not dataclasses.replace(here, pid=os.getppid(), started="").is_dead()
    assert not dataclasses.replace(here, boot="another", machine="").is_dead()
    assert here != Owner.current()


async def test_disk_store_leaves_a_damaged_file_where_it_is(tmp_path: Path) -> None:
    """A state file without its head is a clear error, and is not overwritten by reading."""
    store = DiskStateStore(tmp_path)
    await store.save("a", state(1))
    (file,) = (tmp_path / "instances").glob("*.state")
    file.write_bytes(b"\x00\x01 torn")
    with pytest.raises(StoreUnavailableError, match="damaged"):
        await store.load("a")
    assert file.read_bytes() == b"\x00\x01 torn"
    await store.close()


async def test_disk_store_refuses_another_format(tmp_path: Path) -> None:
    """A folder of a newer format is not written to, and the error names both formats."""
    (tmp_path / "format").write_text("durable_import folder 9\n")
    with pytest.raises(StoreUnavailableError, match=r"folder 9.*folder 2"):
        await DiskStateStore(tmp_path).save("a", state(1))


async def test_disk_store_on_a_file_is_refused(tmp_path: Path) -> None:
    """A file where the folder should be is a clear error."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreUnavailableError, match="file"):
        await DiskStateStore(tmp_path / "file").save("a", state(1))
    assert (tmp_path / "file").read_text() == "mine"


async def refusal_of(path: Path) -> str:
    """What the store at ``path`` says when it is used."""
    store = SQLiteStateStore(path)
    with pytest.raises(StoreUnavailableError) as caught:
        await store.save("a", state(1))
    await store.close()
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("content", [b"This is a text, not a database.\n" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
async def test_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """A file of another kind is refused and left as it is."""
    (tmp_path / "x.db").write_bytes(content)
    assert re.search("is not an SQLite database|is damaged", await refusal_of(tmp_path / "x.db"))
    assert (tmp_path / "x.db").read_bytes() == content


async def test_folder_in_place_of_the_file(tmp_path: Path) -> None:
    """A folder with the database's name is refused."""
    assert "is a folder" in await refusal_of(tmp_path)


async def test_file_in_place_of_the_folder(tmp_path: Path) -> None:
    """A file where a parent folder should be is refused."""
    (tmp_path / "file").write_text("")
    assert "a file" in await refusal_of(tmp_path / "file" / "x.db")


async def test_database_of_another_program(tmp_path: Path) -> None:
    """Tables or an application id of someone else are refused, and the file is left as it is."""
    for script in ("CREATE TABLE theirs (x)", "PRAGMA application_id = 252006673"):
        with closing(sqlite3.connect(tmp_path / "x.db")) as theirs:
            theirs.executescript(script)
        before = (tmp_path / "x.db").read_bytes()
        assert "belongs to another program" in await refusal_of(tmp_path / "x.db")
        assert (tmp_path / "x.db").read_bytes() == before
        (tmp_path / "x.db").unlink()


async def test_newer_database_is_refused_with_both_versions(tmp_path: Path) -> None:
    """A database that a newer release migrated is not written to."""
    await (store := SQLiteStateStore(tmp_path / "x.db")).save("a", state(1))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute("PRAGMA user_version = 9")
    assert re.search(r"has format 9, .* knows up to 4\b", await refusal_of(tmp_path / "x.db"))


async def test_database_that_is_taken_away_is_noticed(tmp_path: Path) -> None:
    """Commits into a file that was removed or replaced are refused, not lost; put back, it goes on."""
    store = SQLiteStateStore(tmp_path / "x.db")
    claim = await store.acquire("a", Owner.current())
    shutil.move(tmp_path / "x.db", tmp_path / "away.db")
    with pytest.raises(StoreUnavailableError, match="removed or replaced"):
        await store.commit(claim, state(1))
    assert not (tmp_path / "x.db").exists()
    shutil.move(tmp_path / "away.db", tmp_path / "x.db")
    await store.commit(claim, state(2))
    await store.close()
    assert await SQLiteStateStore(tmp_path / "x.db").load("a") == state(2)


async def test_store_recovers_when_the_obstacle_is_gone(tmp_path: Path) -> None:
    """A store that could not open tries again at the next use."""
    (tmp_path / "x.db").write_text("not a database at all, but some text " * 10)
    store = SQLiteStateStore(tmp_path / "x.db")
    with pytest.raises(StoreUnavailableError):
        await store.save("a", state(1))
    (tmp_path / "x.db").unlink()
    await store.save("a", state(1))
    await store.close()


async def test_concurrent_commits_share_transactions(tmp_path: Path) -> None:
    """A hundred commits at once need a handful of transactions, and the fenced one among them is refused alone."""
    store = SQLiteStateStore(tmp_path / "state.db")
    owner = Owner.current()
    stale = await store.acquire("i7", owner)
    claims = [await store.acquire(f"i{n}", owner) for n in range(100)]
    statements: list[str] = []
    await store._worker.call(lambda db: db.set_trace_callback(statements.append), writes=False)
    answers = await asyncio.gather(
        store.commit(stale, state(0)), *(store.commit(each, state(1)) for each in claims), return_exceptions=True
    )
    assert isinstance(answers[0], FencedError)
    assert answers[1:] == [None] * 100
    assert 1 <= statements.count("COMMIT") <= 20
    await store.close()


async def test_one_bad_commit_does_not_harm_its_neighbours(tmp_path: Path) -> None:
    """When a transaction of many fails, each commit is tried on its own and only the culprit fails."""
    store = SQLiteStateStore(tmp_path / "state.db")
    owner = Owner.current()
    claims = [await store.acquire(f"i{n}", owner) for n in range(10)]
    huge = {**state(1), "checkpoint": 2**70}
    answers = await asyncio.gather(
        *(store.commit(each, huge if n == 4 else state(n)) for n, each in enumerate(claims)), return_exceptions=True
    )
    assert [n for n, answer in enumerate(answers) if answer is not None] == [4]
    assert isinstance(answers[4], OverflowError)
    assert await store.load("i9") == state(9)
    await store.close()


class Recorder:
    """An engine that notes its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.closed = 0

    def run(self, jobs: Sequence[Job[None]]) -> None:
        self.batches.append(len(jobs))
        for job in jobs:
            job.succeed(job.work(None))

    def close(self) -> None:
        self.closed += 1


async def test_worker_groups_what_arrives_while_it_is_busy() -> None:
    """The first job runs alone, those that come meanwhile run together, in order."""
    engine = Recorder()
    worker: Worker[None] = Worker(lambda: engine, "test")
    seen: list[int] = []

    def note(number: int, _: None) -> None:
        seen.append(number)

    go = threading.Event()
    first = asyncio.create_task(worker.call(lambda _: go.wait(10)))
    while not engine.batches:
        await asyncio.sleep(0.001)
    others = [asyncio.create_task(worker.call(partial(note, n))) for n in range(20)]
    await asyncio.sleep(0.01)
    go.set()
    await asyncio.gather(first, *others)
    assert engine.batches == [1, 20]
    assert seen == list(range(20))
    await worker.close()
    assert engine.closed == 1


async def test_worker_delivers_an_engine_that_breaks() -> None:
    """An error of the engine itself reaches the caller, and the worker goes on."""
    engine = Recorder()
    worker: Worker[None] = Worker(lambda: engine, "test")
    with pytest.raises(ZeroDivisionError):
        await worker.call(lambda _: 1 // 0)
    assert await worker.call(lambda _: 5) == 5
    await worker.close()


def test_worker_outlives_a_loop_that_went_away() -> None:
    """A loop that is closed before the answer does not harm the next one."""
    engine = Recorder()
    worker: Worker[None] = Worker(lambda: engine, "test")

    async def impatient() -> None:
        task = asyncio.create_task(worker.call(lambda _: time.sleep(0.1)))
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(impatient())
    assert asyncio.run(worker.call(lambda _: 7)) == 7
    asyncio.run(worker.close())


def test_thread_ends_with_its_store(tmp_path: Path) -> None:
    """A store that is dropped without close leaves no thread behind."""
    store = SQLiteStateStore(tmp_path / "x.db")
    asyncio.run(store.save("a", state(1)))
    name = f"durable_import {tmp_path}/x.db"
    (thread,) = [each for each in threading.enumerate() if each.name == name]
    del store
    gc.collect()
    thread.join(5)
    assert not thread.is_alive()
