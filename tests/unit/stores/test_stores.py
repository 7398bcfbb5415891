"""The contract over every embedded store, owners, and what the stores make of odd states and files."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import json
import os
import re
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from durable_import.errors import (
    FencedError,
    InstanceBusyError,
    SnapshotAuthenticationError,
    StoreError,
    StoreRefusedError,
    StoreUnavailableError,
)
from durable_import.stores.base import StateStore
from durable_import.stores.changes import Awaited, Bell
from durable_import.stores.disk.store import DiskStateStore
from durable_import.stores.flat import to_kept
from durable_import.stores.memory import InMemoryStateStore
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.state import InstanceQuery
from durable_import.stores.store import Kept
from durable_import.stores.url import full_store, open_store
from durable_import.testing.contract import (
    StateStoreContract,
    refused,
    state,
)
from durable_import.testing.contract.store import CALL, begin, bury, commit, register, saved, to_do
from tests.harness.users_store import UsersStore


class TestUsersStore(StateStoreContract):
    survives = False

    def open(self, folder: Path) -> StateStore:  # noqa: ARG002
        return UsersStore()


class TestDisk(StateStoreContract):
    def open(self, folder: Path) -> StateStore:
        return DiskStateStore(folder / "deep" / "store")


class TestMemory(StateStoreContract):
    survives = False

    def open(self, folder: Path) -> StateStore:  # noqa: ARG002
        return InMemoryStateStore()


class TestSQLite(StateStoreContract):
    def open(self, folder: Path) -> StateStore:
        return SQLiteStateStore(folder / "deep" / "state.db")


class TestSQLiteInMemory(StateStoreContract):
    survives = False

    def open(self, folder: Path) -> StateStore:  # noqa: ARG002
        return SQLiteStateStore(":memory:")


FLAT: tuple[dict[str, Any], ...] = (
    {"value": 123}, {"status": "ok"}, {},
    {"a": [1, {"b": None}], "raw": b"\0\n", "t": True, "f": 0.5, "lone\udc80": "\udc80"},
)  # fmt: skip


@pytest.mark.parametrize("saved", FLAT)
async def test_memory_and_disk_take_any_flat_dict(saved: dict[str, Any], tmp_path: Path) -> None:
    """Plain ``save`` and ``load`` give back what a user's program has saved, as a copy; it is no instance."""
    for store in (InMemoryStateStore(), DiskStateStore(tmp_path / "store")):
        mine = copy.deepcopy(saved)
        await store.save("one", mine)
        mine["more"] = 1
        assert await store.load("one") == saved
        full = full_store(store)
        assert await to_do(full, 10, orphans=True) == []
        assert await full.remove_finished(0.0) == 0
        with refused(SnapshotAuthenticationError, "'one'", "exactly the keys"):
            await full.load("one")
        await store.save("one", state(1))
        assert (await begin(full, "one")).state == to_kept(state(1)).state
        await store.close()


@pytest.mark.parametrize("place", ["memory:", "disk://{}/store", "sqlite:///{}/state.db"])
async def test_checkpoints_ring_no_bell(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for a change in this process is not woken by each commit of an instance that runs, but by its end if he waits for
    that."""
    rings: list[None] = []
    awaited = Awaited()
    monkeypatch.setattr(Bell, "ring", lambda _: rings.append(None))
    store = full_store(open_store(place.format(tmp_path)))
    begun = await begin(store, "a")
    rings.clear()
    for status in ("running", "sleeping", "waiting", "running"):
        await commit(store, begun, saved(1, status))
        assert rings == []
    await store.wait_for_change(0.0, awaited)
    with awaited.waiting_for("a"):
        await store.end(begun.claim, saved(2, "completed"), keeps=False)
    assert rings
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
    store = SQLiteStore(":memory:")
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
    assert [each.updated_at for each in (await store.instances.list(InstanceQuery())).instances] == [1.5]
    await store.save("b", state(2))
    assert (tmp_path / "format").read_text() == "durable_import folder 3\n"
    await store.close()


async def test_claims_of_the_second_format_are_those_of_owners(tmp_path: Path) -> None:
    """Who owned an instance is respected until somebody has found that it is dead, and then is not."""
    store = DiskStateStore(tmp_path)
    await store.save("a", state(1))
    [file] = (tmp_path / "instances").glob("*.state")
    before_it = Owner.current()
    lease = {"epoch": 7, "owner": dataclasses.asdict(before_it), "since": 1.5, "until": 2.5}
    file.with_suffix(".claim").write_text(json.dumps(lease))
    (tmp_path / "format").write_text("durable_import folder 2\n")
    full = full_store(store)
    with refused(InstanceBusyError, "'a'", str(os.getpid())):
        await begin(full, "a")
    [before] = [row for row in full.owners() if row.who == before_it]
    assert await bury(full, before.id) == 1
    begun = await begin(full, "a")
    assert begun.state == to_kept(state(1)).state
    await store.close()


def test_owner_survives_json() -> None:
    """An owner read back from a store equals the one written."""
    owner = dataclasses.replace(Owner.current(), host="h\udc80ü")
    assert Owner.from_json(owner.to_json()) == owner


def test_what_may_be_alive_is_never_declared_dead() -> None:
    """This process lives, and nothing is known of another boot: a clone of the machine has the same name and id."""
    here = Owner.current()
    assert not here.is_dead()
    assert not dataclasses.replace(here, pid=os.getppid(), started="").is_dead()
    gone = dataclasses.replace(here, pid=2**22 + 1)  # more than there are
    assert gone.is_dead()
    for field in ("boot", "machine", "pid_space", "host"):
        assert not Owner(**{**dataclasses.asdict(gone), field: "another"}).is_dead()
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
    with pytest.raises(StoreUnavailableError, match=r"folder 9.*folder 3"):
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


async def test_shared_database_keeps_what_is_the_users(tmp_path: Path) -> None:
    """With ``shared=yes`` the store's tables are put beside others; the marks in the file's head stay the user's."""
    with closing(sqlite3.connect(tmp_path / "app.db")) as db:
        db.executescript("CREATE TABLE orders (id INTEGER); PRAGMA user_version = 42; PRAGMA application_id = 7")
    with refused(StoreUnavailableError, "belongs to another program", "?shared=yes"):
        await open_store(f"sqlite:///{tmp_path}/app.db").save("a", state(1))
    store = open_store(f"sqlite:///{tmp_path}/app.db?shared=yes")
    full = full_store(store)
    assert full.transactions is not None
    begun = await begin(full, "a")
    opened = await full.transactions.begin_transaction()
    opened.connection.execute("INSERT INTO orders VALUES (1)")
    await opened.commit(begun.claim, to_kept(state(1)).state)
    await full.close()
    again = SQLiteStateStore(tmp_path / "app.db")  # it is known by now
    assert await again.load("a") == state(1, call=CALL)
    await again.close()
    with closing(sqlite3.connect(tmp_path / "app.db")) as db:
        assert db.execute("SELECT id FROM orders").fetchall() == [(1,)]
        assert db.execute("PRAGMA user_version").fetchall() == [(42,)]
        assert db.execute("PRAGMA application_id").fetchall() == [(7,)]


async def test_names_that_are_taken_cannot_be_shared(tmp_path: Path) -> None:
    """Tables with the names of ours are named, and nothing is written."""
    with closing(sqlite3.connect(tmp_path / "app.db")) as db:
        db.executescript("CREATE TABLE event (id INTEGER); CREATE TABLE mine (id INTEGER)")
    before = (tmp_path / "app.db").read_bytes()
    store = SQLiteStateStore(tmp_path / "app.db", shared=True)
    with refused(StoreUnavailableError, "cannot be shared", "called event, as"):
        await store.save("a", state(1))
    await store.close()
    assert (tmp_path / "app.db").read_bytes() == before


async def test_newer_database_is_refused_with_both_versions(tmp_path: Path) -> None:
    """A database that a newer release migrated is not written to."""
    await (store := SQLiteStateStore(tmp_path / "x.db")).save("a", state(1))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "x.db")) as db:
        db.execute("PRAGMA user_version = 11")
    assert re.search(r"has format 11, .* knows up to 10\b", await refusal_of(tmp_path / "x.db"))


async def test_database_that_is_taken_away_is_noticed(tmp_path: Path) -> None:
    """Commits into a file that was removed or replaced are refused, not lost; put back, it goes on."""
    store = SQLiteStore(str(tmp_path / "x.db"))
    begun = await begin(store, "a")
    shutil.move(tmp_path / "x.db", tmp_path / "away.db")
    with pytest.raises(StoreUnavailableError, match="removed or replaced"):
        await commit(store, begun, saved(1))
    assert not (tmp_path / "x.db").exists()
    shutil.move(tmp_path / "away.db", tmp_path / "x.db")
    await commit(store, begun, saved(2))
    await store.close()
    assert await SQLiteStore(str(tmp_path / "x.db")).load("a") == Kept(saved(2), CALL)


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
    store = SQLiteStore(str(tmp_path / "state.db"))
    owner = register(store)
    stale = await begin(store, "i7", owner)
    begun = [await begin(store, f"i{n}", owner) for n in range(100)]
    statements: list[str] = []
    await store._worker.call(lambda db: db.set_trace_callback(statements.append), writes=False)
    answers = await asyncio.gather(
        commit(store, stale, saved(0)), *(commit(store, each, saved(1)) for each in begun), return_exceptions=True
    )
    assert isinstance(answers[0], FencedError)
    assert answers[1:] == [None] * 100
    assert 1 <= statements.count("COMMIT") <= 20
    await store.close()


async def test_one_bad_commit_does_not_harm_its_neighbours(tmp_path: Path) -> None:
    """When a transaction of many fails, each commit is tried on its own and only the culprit fails."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    owner = register(store)
    begun = [await begin(store, f"i{n}", owner) for n in range(10)]
    huge = saved(1)._replace(checkpoint=2**70)
    answers = await asyncio.gather(
        *(commit(store, each, huge if n == 4 else saved(n)) for n, each in enumerate(begun)), return_exceptions=True
    )
    assert [n for n, answer in enumerate(answers) if answer is not None] == [4]
    assert isinstance(answers[4], StoreRefusedError)
    assert await store.load("i9") == Kept(saved(9), CALL)
    await store.close()
