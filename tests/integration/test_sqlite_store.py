"""The embedded stores on real disks: locked, full and read-only ones, and what SQLite refuses."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from durable_import.errors import StoreUnavailableError
from durable_import.stores.base import StateStore
from durable_import.stores.disk.store import DiskStateStore
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.sqlite.store import SQLiteStateStore
from durable_import.stores.store import Kept
from durable_import.stores.url import full_store, open_store
from durable_import.testing.contract import state
from durable_import.testing.contract.store import CALL, begin, commit, saved
from tests.harness.store_processes import line_of, process

URLS = ["sqlite:///{}/state.db", "disk://{}/store"]


def settings(db: sqlite3.Connection) -> list[object]:
    names = ("synchronous", "journal_mode", "application_id", "user_version")
    return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]


async def test_commit_survives_power_loss_by_default(tmp_path: Path) -> None:
    """The log is synced at each commit unless the URL asks for speed."""
    for query, level in (("", 2), ("?synchronous=full", 2), ("?synchronous=normal", 1)):
        store = full_store(open_store(f"sqlite:///{tmp_path}/state.db{query}"))
        assert isinstance(store, SQLiteStore)
        assert await store._worker.call(settings, writes=False) == [level, "wal", 0x44555242, 10]
        await store.close()


async def test_waiting_for_the_disk_does_not_block_the_loop(tmp_path: Path) -> None:
    """While another process holds the lock, a commit waits and the event loop runs on."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    begun = await begin(store, "a")
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        committing = asyncio.create_task(commit(store, begun, saved(1)))
        for _ in range(30):
            await asyncio.sleep(0.01)
        assert not committing.done()
        other.execute("ROLLBACK")
    await committing
    await store.close()


async def count_transactions(store: SQLiteStore) -> list[str]:
    """The statements that begin a transaction, from now on."""
    seen: list[str] = []

    def note(statement: str) -> None:
        if statement.startswith("BEGIN"):
            seen.append(statement)

    await store._worker.call(lambda db: db.set_trace_callback(note), writes=False)
    return seen


async def test_long_locked_database_is_reported(tmp_path: Path) -> None:
    """After its patience the store says who is in the way; reading goes on, and later commits work."""
    store = SQLiteStore(str(tmp_path / "state.db"), patience=0.3)
    begun = await begin(store, "a")
    await commit(store, begun, saved(1))
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        waits = await count_transactions(store)
        answers = await asyncio.gather(
            *(commit(store, begun, saved(2)) for _ in range(10)), store.load("a"), return_exceptions=True
        )
        assert len(waits) < 10, "all of them wait once"
        assert answers[-1] == Kept(saved(1), CALL)
        for answer in answers[:-1]:
            assert isinstance(answer, StoreUnavailableError)
            assert "locked by another process for 0.3 s" in str(answer)
    await commit(store, begun, saved(3))
    assert await store.load("a") == Kept(saved(3), CALL)
    await store.close()


HOLD_LOCK = """
from pathlib import Path
from durable_import.stores.files import locked
with locked(Path(small.path) / "lock", 1):
    say("held")
    sys.stdin.readline()
"""


async def test_long_locked_folder_is_reported(tmp_path: Path) -> None:
    """A process that holds a disk store's lock for long is reported after the patience, and waited for before that."""
    store = DiskStateStore(tmp_path / "store", patience=0.2)
    await store.save("a", state(1))
    with process(f"disk://{tmp_path}/store", HOLD_LOCK) as child:
        assert line_of(child) == "held"
        with pytest.raises(StoreUnavailableError, match=r"locked by another process for 0.2 s .*lock"):
            await store.save("a", state(2))
        assert await store.load("a") == state(1)
    await store.save("a", state(3))
    await store.close()


FILL = """
import resource
async def main():
    begun = await begin(store, "a")
    n = 0
    try:
        while True:
            await commit(store, begun, saved(n + 1)._replace(snapshot=os.urandom(20_000 * (n + 1))))
            n += 1
    except StoreUnavailableError as error:
        say(n, error)
    say((await store.load("a")).state.checkpoint == n)
    if os.environ["SMALL"] == "disk":
        os.unlink(os.path.join(os.path.dirname(small.path), "ballast"))
    else:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await commit(store, begun, saved(7))
    say((await store.load("a")).state == saved(7))
asyncio.run(main())
"""

# how each store words what the launcher allows; a mount namespace of its own takes the small disk away with the process
LIMIT = 'ulimit -S -f 600; SMALL=limit exec $0 "$@"'
DISK = 'mount -t tmpfs -o size=2m none {0} && head -c 400000 /dev/zero > {0}/ballast && SMALL=disk exec $0 "$@"'
SMALL_PLACES = [(url, ["sh", "-c", LIMIT], "limit") for url in URLS]
if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode == 0:
    SMALL_PLACES += [(url, ["unshare", "-rm", "sh", "-c", DISK], "the disk is full") for url in URLS]


@pytest.mark.parametrize(("place", "launcher", "words"), SMALL_PLACES)
def test_full_disk_loses_nothing(place: str, launcher: list[str], words: str, tmp_path: Path) -> None:
    """Without space the commit is refused in words, what was committed is there, and with space again it goes on."""
    with process(place.format(tmp_path), FILL, *(part.format(tmp_path) for part in launcher)) as child:
        answer, _ = child.communicate()
    count, _, rest = answer.partition(" ")
    assert int(count) >= 1, answer
    assert words in rest
    assert "what was committed before is safe" in rest
    assert rest.endswith("True\nTrue\n"), answer


async def test_database_that_may_not_grow(tmp_path: Path) -> None:
    """SQLITE_FULL, also by a page limit, is a full disk: refused alone, nothing lost, and the next commit works."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    begun = await begin(store, "a")
    await commit(store, begun, saved(1))
    await store._worker.call(lambda db: db.execute("PRAGMA max_page_count = 60").fetchone(), writes=False)
    with pytest.raises(StoreUnavailableError, match=r"disk is full.*SQLITE_FULL"):
        await commit(store, begun, saved(2)._replace(snapshot=bytes(200_000)))
    assert await store.load("a") == Kept(saved(1), CALL)
    await commit(store, begun, saved(3))
    assert await store.load("a") == Kept(saved(3), CALL)
    await store.close()


AS_NOBODY = """
async def main():
    await open_store("sqlite://").save("warm", state(1))  # all modules and queries are read
    if os.geteuid() == 0:
        os.setgroups([])
        os.setegid(65534)
        os.seteuid(65534)  # root may write anywhere
    for call in (small.save("b", state(2)), small.load("a")):
        try:
            say(await call)
        except StoreUnavailableError as error:
            say(error)
asyncio.run(main())
"""


@pytest.mark.parametrize("place", ["sqlite:///{}/new/state.db", "sqlite:///{}/state.db", "disk://{}/new"])
def test_folder_that_is_not_writable(place: str, open_folder: Path) -> None:
    """A store in a folder of another user is refused, naming it and what to change."""
    open_folder.chmod(0o555)
    with process(place.format(open_folder), AS_NOBODY) as child:
        answer = line_of(child)
    assert "not writable for this user" in answer
    assert str(open_folder) in answer


def test_read_only_file_can_still_be_read(open_folder: Path) -> None:
    """A database file without write permission: saving is refused in words, loading works."""
    asyncio.run(_save_and_close(SQLiteStateStore(open_folder / "state.db")))
    (open_folder / "state.db").chmod(0o444)
    open_folder.chmod(0o777)
    with process(f"sqlite:///{open_folder}/state.db", AS_NOBODY) as child:
        refusal, loaded = line_of(child), line_of(child)
    assert "state.db cannot be written: the file is read-only for this user" in refusal
    assert loaded == str(state(1))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can reach; pytest's own are private."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        folder.mkdir()
        folder.parent.chmod(0o755)
        yield folder
        folder.chmod(0o755)


async def _save_and_close(store: StateStore) -> None:
    await store.save("a", state(1))
    await full_store(store).close()


async def test_relative_path_is_meant_from_where_the_store_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that changes its folder before the first commit keeps its store."""
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///.durable/state.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    await _save_and_close(store)
    assert (tmp_path / ".durable" / "state.db").exists()
    assert os.listdir(tmp_path / "elsewhere") == []
