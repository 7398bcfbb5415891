"""Stores that several processes share: kills, stalls, races and forks."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from durable_import.errors import InstanceBusyError
from durable_import.stores.contract import state
from durable_import.stores.owner import Owner
from tests.harness.store_processes import PREAMBLE, line_of, owning, process


@pytest.fixture(params=["sqlite", "disk", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a store that processes share."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        return str(server.url(schema=f"s{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:20]}"))
    return f"sqlite:///{tmp_path}/state.db" if request.param == "sqlite" else f"disk://{tmp_path}/store"


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
