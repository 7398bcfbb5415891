"""Stores that several processes share: kills, stalls, races and forks."""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from durable_import.errors import InstanceBusyError
from durable_import.stores.state import InstanceQuery
from durable_import.stores.store import OpenTransaction, Store
from durable_import.testing.contract.store import begin, commit, put, saved
from tests.harness.store_processes import PREAMBLE, answer_of, full, line_of, process, take_over

pytestmark = pytest.mark.slow


def url_of(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "postgres":
        server = request.getfixturevalue("postgres_server")
        return str(server.url(schema=f"s{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"))
    return f"sqlite:///{tmp_path}/state.db" if kind == "sqlite" else f"disk://{tmp_path}/store"


@pytest.fixture(params=["sqlite", "disk", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that processes share."""
    return url_of(request.param, request, tmp_path)


@pytest.fixture(params=["sqlite", "postgres"])
def url_with_transactions(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that has data of the user beside its own."""
    return url_of(request.param, request, tmp_path)


COMMIT_FOR_EVER = """
async def main():
    begun = await begin(store, "a", register(store, 3600))
    for n in range(1, 10**9):
        await commit(store, begun, saved(n)._replace(snapshot=b"%d" % n * 500))
        say(n)
asyncio.run(main())
"""


async def test_kill_minus_nine_loses_nothing(url: str) -> None:
    """Whenever the owner is killed, the next one comes in long before the lease ends and finds the last commit, whole."""
    last = 0
    for moment in (0.0, 0.003, 0.007, 0.011, 0.02):
        with process(url, COMMIT_FOR_EVER) as child:
            assert line_of(child) == "1"
            time.sleep(moment)
            child.kill()
            assert child.stdout is not None
            said = [1, *map(int, child.stdout.read().split())]
            child.wait()
        store = full(url)
        begun = await take_over(store, "a")
        assert begun.state is not None
        found = begun.state.checkpoint
        assert found in (said[-1], said[-1] + 1)
        assert begun.state.snapshot == b"%d" % found * 500
        assert begun.claim.epoch != last
        last = begun.claim.epoch
        await store.release(begun.claim)
        await store.close()


async def test_live_owner_in_another_process_is_named(url: str) -> None:
    """A second process is refused with the pid of the first, and gets in once that is killed."""
    with process(url, COMMIT_FOR_EVER) as child:
        assert line_of(child) == "1"
        store = full(url)
        with pytest.raises(InstanceBusyError, match=f"process {child.pid} on host"):
            await take_over(store, "a")
        child.kill()
        async with asyncio.timeout(60):  # not waited for: a zombie is as dead as any
            while not await is_free(store):
                await asyncio.sleep(0.01)
        await store.close()


async def is_free(store: Store) -> bool:
    """Whether the instance can be taken over."""
    try:
        await take_over(store, "a")
    except InstanceBusyError:
        return False
    return True


STALL = """
async def main():
    begun = await begin(store, "a", register(store, 0.3))
    await commit(store, begun, saved(1))
    say("committed")
    sys.stdin.readline()
    try:
        await commit(store, begun, saved(99))
    except FencedError as error:
        say("FencedError", error)
asyncio.run(main())
"""


async def test_stalled_owner_is_fenced(url: str) -> None:
    """An owner stopped beyond its lease is taken over; when it wakes up, its commit is refused."""
    store = full(url)
    with process(url, STALL) as child:
        assert line_of(child) == "committed"
        child.send_signal(signal.SIGSTOP)
        await asyncio.sleep(0.4)
        begun = await take_over(store, "a", 0.3)
        assert begun.state == saved(1)
        await commit(store, begun, saved(2))
        child.send_signal(signal.SIGCONT)
        answer, _ = child.communicate("go on\n")
    assert answer.startswith("FencedError instance 'a' was taken over")
    kept = await store.load("a")
    assert kept is not None
    assert kept.state == saved(2)
    await store.close()


RACE = """
async def main():
    say("ready")
    for round in sys.stdin:
        try:
            begun = await begin(store, "r" + round.strip())
            say(begun.claim.epoch, os.getpid(), round.strip())
        except InstanceBusyError:
            say("busy")
asyncio.run(main())
"""


def test_one_of_racing_processes_wins(url: str) -> None:
    """Of several processes that acquire at once, in a store that does not exist yet, one gets each claim."""
    children = [
        subprocess.Popen([sys.executable, "-c", PREAMBLE + RACE, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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
    await small.save("i%d" % n, state(n))
asyncio.run(save(1))
pid = os.fork()
asyncio.run(save(2 if pid else 3))
if pid:
    assert os.waitpid(pid, 0)[1] == 0
    async def check():
        say([(await store.load("i%d" % n)).state.checkpoint for n in (1, 2, 3)])
    asyncio.run(check())
"""


def test_store_goes_on_in_a_forked_process(url: str) -> None:
    """After a fork both processes use the store, each with a thread and files of its own."""
    with process(url, FORKED) as child:
        assert line_of(child) == "[1, 2, 3]"


async def opened_by(store: Store) -> OpenTransaction:
    """A transaction."""
    assert store.transactions is not None
    return await store.transactions.begin_transaction()


COUNT_FOR_EVER = """
from tests.harness.store_processes import answer_of
async def main():
    begun = await begin(store, "a", register(store, 3600))
    number = begun.state.checkpoint
    table = sys.argv[2]
    while True:
        number += 1
        opened = await store.transactions.begin_transaction()
        if number == 1:
            await answer_of(opened.connection.execute(f"CREATE TABLE {table} (id int)"))
        await answer_of(opened.connection.execute(f"INSERT INTO {table} VALUES ({number})"))
        await opened.commit(begun.claim, saved(number))
        say(number)
asyncio.run(main())
"""


async def test_kill_minus_nine_leaves_rows_and_state_together(url_with_transactions: str) -> None:
    """Whenever a process is killed that commits rows of its own with its state, both are there, or neither."""
    table = f"counted_{hashlib.sha256(url_with_transactions.encode()).hexdigest()[:20]}"
    store = full(url_with_transactions)
    for moment in (0.0, 0.004, 0.009, 0.013, 0.021, 0.035):
        with process(url_with_transactions, COUNT_FOR_EVER, arguments=[table]) as child:
            assert line_of(child).isdecimal()
            time.sleep(moment)
            child.kill()
            child.wait()
        begun = await take_over(store, "a")  # from now on nothing that the child has sent is committed
        opened = await opened_by(store)
        cursor = await answer_of(opened.connection.execute(f"SELECT id FROM {table} ORDER BY id"))
        rows = [number for (number,) in await answer_of(cursor.fetchall())]
        await opened.rollback()
        found = await store.load("a")
        assert found is not None
        assert rows == list(range(1, found.state.checkpoint + 1))
        await store.release(begun.claim)
    assert len(rows) >= 6
    await store.close()


WORK = """
import random
from tests.harness.store_processes import answer_of
async def main():
    keeper, table = Keeper(store, 1.0), sys.argv[2]
    while True:
        found = await claim(store, (await keeper.ownership()).number, 20)
        say(len(found))
        for begun in random.sample(found, len(found)):
            try:
                name = begun.claim.instance_id
                number = begun.state.checkpoint
                while number < 5 and begun.state.status != "completed":
                    number += 1
                    opened = await store.transactions.begin_transaction()
                    await answer_of(opened.connection.execute(f"INSERT INTO {table} VALUES ('{name}', {number})"))
                    await opened.commit(begun.claim, saved(number, "completed" if number == 5 else "running"))
                await store.release(begun.claim)
            except OwnershipError:
                pass
        if not found:
            await store.wait_for_change(0.05)
asyncio.run(main())
"""


async def test_processes_that_are_killed_share_the_work(url_with_transactions: str) -> None:
    """Several processes take up what others that were killed have left: each step of each instance is done exactly once."""
    table = f"done_{hashlib.sha256(url_with_transactions.encode()).hexdigest()[:20]}"
    store = full(url_with_transactions)
    names = [f"i{number}" for number in range(60)]
    maker = await begin(store, "maker")
    opened = await opened_by(store)
    await answer_of(opened.connection.execute(f"CREATE TABLE {table} (name text, step int)"))
    await opened.commit(maker.claim, saved(1, "completed"))
    for name in names:
        await put(store, name, saved(0, "running"))
    kills = 0
    deadline = time.monotonic() + 600
    with ExitStack() as stack:

        def start() -> subprocess.Popen[str]:
            return stack.enter_context(process(url_with_transactions, WORK, arguments=[table]))

        children = [start() for _ in range(3)]
        while any(each.status != "completed" for each in (await store.list(InstanceQuery())).instances):
            assert time.monotonic() < deadline
            victim = random.randrange(len(children))
            assert children[victim].poll() is None
            assert await asyncio.to_thread(line_of, children[victim]), "it looks for work"
            await asyncio.sleep(random.uniform(0.2, 0.6))
            children[victim].kill()
            children[victim] = start()
            kills += 1
    opened = await opened_by(store)
    cursor = await answer_of(opened.connection.execute(f"SELECT name, step FROM {table} ORDER BY name, step"))
    done = [tuple(row) for row in await answer_of(cursor.fetchall())]
    await opened.rollback()
    assert done == sorted((name, step) for name in names for step in range(1, 6))
    assert kills > 0
    await store.close()
