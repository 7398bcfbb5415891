"""Stores between real processes: kill -9, a stalled owner, full and read-only disks, and what SQLite refuses."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from durable_import.errors import InstanceBusyError, StoreUnavailableError
from durable_import.stores.base import OwningStore
from durable_import.stores.contract import state
from durable_import.stores.disk import DiskStateStore
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite import SQLiteStateStore
from durable_import.stores.url import open_store

URLS = ["sqlite:///{}/state.db", "disk://{}/store"]

PREAMBLE = """
import asyncio, os, sys
from durable_import.errors import *
from durable_import.stores.base import Claim
from durable_import.stores.contract import state
from durable_import.stores.disk import DiskStateStore
from durable_import.stores.owner import Owner
from durable_import.stores.url import open_store
store = open_store(sys.argv[1])
def say(*words): print(*words, flush=True)
"""


@pytest.fixture(params=URLS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that processes share."""
    return str(request.param).format(tmp_path)


@contextmanager
def process(place: str, code: str, *launcher: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs ``code`` over the store at ``place``; killed at the end."""
    child = subprocess.Popen(
        [*launcher, sys.executable, "-c", PREAMBLE + code, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        child.kill()
        child.communicate()


def line_of(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def owning(url: str) -> OwningStore:
    store = open_store(url)
    assert isinstance(store, OwningStore)
    return store


COMMIT_FOR_EVER = """
async def main():
    claim = await store.acquire("a", Owner.current(), 3600)
    for n in range(1, 10**9):
        await store.commit(claim, state(n, snapshot=b"%d" % n * 500))
        say(n)
asyncio.run(main())
"""


async def test_kill_minus_nine_loses_nothing(url: str) -> None:
    """Whenever the owner is killed, the next one comes in at once and finds the last commit, whole."""
    last = 0
    for moment in (0.0, 0.003, 0.007, 0.011, 0.02):
        with process(url, COMMIT_FOR_EVER) as child:
            assert line_of(child) == "1"
            time.sleep(moment)
            child.kill()
            assert child.stdout is not None
            said = [1, *map(int, child.stdout.read().split())]
            child.wait()
        store = owning(url)
        begun = time.monotonic()
        claim = await store.acquire("a", Owner.current())
        assert time.monotonic() - begun < 5
        assert claim.state is not None
        found = claim.state["checkpoint"]
        assert found in (said[-1], said[-1] + 1)
        assert claim.state["snapshot"] == b"%d" % found * 500
        assert claim.epoch > last
        last = claim.epoch
        await store.release(claim)
        await store.close()


async def test_live_owner_in_another_process_is_named(url: str) -> None:
    """A second process is refused with the pid of the first, and gets in once that is killed."""
    with process(url, COMMIT_FOR_EVER) as child:
        assert line_of(child) == "1"
        store = owning(url)
        with pytest.raises(InstanceBusyError, match=f"process {child.pid} on host"):
            await store.acquire("a", Owner.current())
        child.kill()
        # not waited for: a zombie is as dead as any
        await asyncio.sleep(0.2)
        await store.acquire("a", Owner.current())
        await store.close()


STALL = """
async def main():
    claim = await store.acquire("a", Owner.current(), 0.3)
    await store.commit(claim, state(1))
    say("committed")
    sys.stdin.readline()
    try:
        await store.commit(claim, state(99))
    except FencedError as error:
        say("FencedError", error)
    say(await store.renew([claim]) == [claim])
asyncio.run(main())
"""


async def test_stalled_owner_is_fenced(url: str) -> None:
    """An owner stopped beyond its lease is taken over; when it wakes up, its commit is refused."""
    store = owning(url)
    with process(url, STALL) as child:
        assert line_of(child) == "committed"
        child.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.4)
        claim = await store.acquire("a", Owner.current())
        assert claim.state == state(1)
        await store.commit(claim, state(2))
        child.send_signal(signal.SIGCONT)
        answer, _ = child.communicate("go on\n")
    assert answer.startswith("FencedError instance 'a' was taken over")
    assert answer.endswith("True\n")
    assert await store.load("a") == state(2)
    await store.close()


RACE = """
async def main():
    say("ready")
    for round in sys.stdin:
        try:
            claim = await store.acquire("r" + round.strip(), Owner.current())
            say(claim.epoch)
        except InstanceBusyError:
            say("busy")
asyncio.run(main())
"""


def test_one_of_racing_processes_wins(url: str) -> None:
    """Of several processes that acquire at once, in a store that does not exist yet, one gets each claim."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + RACE, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    assert [line_of(child) for child in children] == ["ready"] * 4
    epochs = set()
    for number in range(15):
        for child in children:
            assert child.stdin is not None
            child.stdin.write(f"{number}\n")
            child.stdin.flush()
        answers = [line_of(child) for child in children]
        assert sorted(answers)[-3:] == ["busy"] * 3, answers
        epochs.update(set(answers) - {"busy"})
    assert len(epochs) == 15
    for child in children:
        child.communicate()
        assert child.returncode == 0


FORKED = """
async def save(n):
    await store.save("i%d" % n, state(n))
asyncio.run(save(1))
pid = os.fork()
asyncio.run(save(2 if pid else 3))
if pid:
    assert os.waitpid(pid, 0)[1] == 0
    async def check():
        say([(await store.load("i%d" % n))["checkpoint"] for n in (1, 2, 3)])
    asyncio.run(check())
"""


def test_store_goes_on_in_a_forked_process(url: str) -> None:
    """After a fork both processes use the store, each with a thread and files of its own."""
    with process(url, FORKED) as child:
        assert line_of(child) == "[1, 2, 3]"


def settings(db: sqlite3.Connection) -> list[object]:
    names = ("synchronous", "journal_mode", "application_id", "user_version")
    return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]


async def test_commit_survives_power_loss_by_default(tmp_path: Path) -> None:
    """The log is synced at each commit unless the URL asks for speed."""
    for query, level in (("", 2), ("?synchronous=full", 2), ("?synchronous=normal", 1)):
        store = open_store(f"sqlite:///{tmp_path}/state.db{query}")
        assert isinstance(store, SQLiteStateStore)
        assert await store._worker.call(settings, writes=False) == [level, "wal", 0x44555242, 3]
        await store.close()


async def test_waiting_for_the_disk_does_not_block_the_loop(tmp_path: Path) -> None:
    """While another process holds the lock, a commit waits and the event loop runs on."""
    store = SQLiteStateStore(tmp_path / "state.db")
    claim = await store.acquire("a", Owner.current())
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        commit = asyncio.create_task(store.commit(claim, state(1)))
        worst = 0.0
        for _ in range(30):
            begun = time.perf_counter()
            await asyncio.sleep(0.01)
            worst = max(worst, time.perf_counter() - begun)
        assert not commit.done()
        assert worst < 0.2
        other.execute("ROLLBACK")
    await commit
    await store.close()


async def test_long_locked_database_is_reported(tmp_path: Path) -> None:
    """After its patience the store says who is in the way; reading goes on, and later commits work."""
    store = SQLiteStateStore(tmp_path / "state.db", patience=0.3)
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        answers = await asyncio.gather(
            *(store.commit(claim, state(2)) for _ in range(10)), store.load("a"), return_exceptions=True
        )
        assert time.monotonic() - begun < 3
        assert answers[-1] == state(1)
        for answer in answers[:-1]:
            assert isinstance(answer, StoreUnavailableError)
            assert "locked by another process for 0.3 s" in str(answer)
    await store.commit(claim, state(3))
    assert await store.load("a") == state(3)
    await store.close()


HOLD_LOCK = """
from pathlib import Path
from durable_import.stores.files import locked
with locked(Path(store.path) / "lock", 1):
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
    claim = await store.acquire("a", Owner.current())
    n = 0
    try:
        while True:
            await store.commit(claim, state(n + 1, snapshot=os.urandom(20_000 * (n + 1))))
            n += 1
    except StoreUnavailableError as error:
        say(n, error)
    say((await store.load("a"))["checkpoint"] == n)
    if os.environ["SMALL"] == "disk":
        os.unlink(os.path.join(os.path.dirname(store.path), "ballast"))
    else:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    await store.commit(claim, state(7))
    say(await store.load("a") == state(7))
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
    store = SQLiteStateStore(tmp_path / "state.db")
    claim = await store.acquire("a", Owner.current())
    await store.commit(claim, state(1))
    await store._worker.call(lambda db: db.execute("PRAGMA max_page_count = 20").fetchone(), writes=False)
    with pytest.raises(StoreUnavailableError, match=r"disk is full.*SQLITE_FULL"):
        await store.commit(claim, state(2, snapshot=bytes(200_000)))
    assert await store.load("a") == state(1)
    await store.commit(claim, state(3))
    assert await store.load("a") == state(3)
    await store.close()


AS_NOBODY = """
async def main():
    await open_store("sqlite://").save("warm", state(1))  # all modules and queries are read
    if os.geteuid() == 0:
        os.setgroups([])
        os.setegid(65534)
        os.seteuid(65534)  # root may write anywhere
    for call in (store.save("b", state(2)), store.load("a")):
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


async def _save_and_close(store: OwningStore) -> None:
    await store.save("a", state(1))
    await store.close()


async def test_relative_path_is_meant_from_where_the_store_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that changes its folder before the first commit keeps its store."""
    monkeypatch.chdir(tmp_path)
    store = owning("sqlite:///.durable/state.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    await _save_and_close(store)
    assert (tmp_path / ".durable" / "state.db").exists()
    assert os.listdir(tmp_path / "elsewhere") == []
