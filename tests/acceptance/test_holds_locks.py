"""Locks at module level of an application, shared by its instances, under kills, restarts and evictions."""

from __future__ import annotations

import re
import sys

import pytest

from tests.harness.killing import lives
from tests.harness.processes import KILLED, Desk

pytestmark = pytest.mark.slow

# who is inside of what, as the outside world sees it; a process that dies leaves all
ROOM = """
    import asyncio

    INSIDE = {}

    def note(line):
        with open("log", "a") as log:
            log.write(line + "\\n")

    async def use(room, who, most, seconds=0.02):
        inside = INSIDE.setdefault(room, set())
        inside.add(who)
        note(f"{room} {who}")
        if len(inside) > most:
            note(f"TOO MANY in {room}: {sorted(inside)}")
        await asyncio.sleep(seconds)

    def leave(room, who):
        INSIDE.get(room, set()).discard(who)
"""

APP = """
    import asyncio, sys
    import durable_import
    durable_import.install()
    import flows

    async def main():
        runtime = durable_import.DurableRuntime("sqlite:///app.db", evict_after=0.03, poll_interval=0.05, lease_seconds=1)
        async with runtime:
            handles = [await runtime.start(getattr(flows, sys.argv[1]), n, instance_id=f"{sys.argv[1]}{n}") for n in range(5)]
            if sys.argv[1] == "told":
                for n, handle in enumerate(handles):
                    if await handle.status() not in ("completed", "failed"):
                        await runtime.publish_event(handle.id, "go", n)
            print(sorted([await handle.result() for handle in handles]), flush=True)

    asyncio.run(main())
"""

FLOWS = """
    # durable: on
    import asyncio
    import room
    from durable_import import wait_for_event

    LOCK, SEMAPHORE, BOUNDED, CONDITION = asyncio.Lock(), asyncio.Semaphore(2), asyncio.BoundedSemaphore(2), asyncio.Condition()
    FREE = [True]

    async def locked(n):
        for _ in range(2):
            async with LOCK:
                await room.use("lock", n, 1)
                await asyncio.sleep(0.1)
                await room.use("lock", n, 1)
                room.leave("lock", n)
            await asyncio.sleep(0.01)
        return n

    async def counted(n):
        for _ in range(2):
            async with SEMAPHORE:
                await room.use("semaphore", n, 2)
                await asyncio.sleep(0.1)
                await room.use("semaphore", n, 2)
                room.leave("semaphore", n)
            await asyncio.sleep(0.01)
        return n

    async def bounded(n):
        for _ in range(2):
            async with BOUNDED:
                await room.use("bounded", n, 2)
                await asyncio.sleep(0.1)
                await room.use("bounded", n, 2)
                room.leave("bounded", n)
        return n

    async def conditioned(n):
        async with CONDITION:
            await room.use("condition", n, 1)
            await asyncio.sleep(0.05)
            room.leave("condition", n)
            CONDITION.notify_all()
        async with CONDITION:
            await room.use("condition", n, 1)
            await asyncio.sleep(0.05)
            await room.use("condition", n, 1)
            room.leave("condition", n)
        return n

    async def told(n):
        async with LOCK:
            await room.use("lock", n, 1)
            got = await wait_for_event("go")
            await room.use("lock", n, 1)
            room.leave("lock", n)
        return got

    async def mixed(n):
        async with SEMAPHORE:
            await room.use("semaphore", n, 2)
            async with LOCK:
                await room.use("lock", n, 1)
                await asyncio.sleep(0.05)
                await room.use("lock", n, 1)
                room.leave("lock", n)
            await room.use("semaphore", n, 2)
            room.leave("semaphore", n)
        return n
"""


@pytest.mark.parametrize("kind", ["locked", "counted", "told"])
def test_sections_keep_their_number(desk: Desk, kind: str) -> None:
    """However often it is killed or its instances are evicted, no section has more inside than it allows, and all of them end."""
    sections(desk, kind)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["bounded", "conditioned", "mixed"])
def test_more_sections_keep_their_number(desk: Desk, kind: str) -> None:
    """So it is with other ways to take a lock, and with one inside of another."""
    sections(desk, kind)


@pytest.mark.parametrize("kind", ["locked", "mixed"])
def test_locks_of_a_module_that_is_not_marked(desk: Desk, kind: str) -> None:
    """It does not matter whether the module that has the locks is marked."""
    line = next(line for line in FLOWS.splitlines() if line.strip().startswith("LOCK,"))
    desk.write("limits.py", f"    import asyncio\n{line}\n")
    names = r"\b(LOCK|SEMAPHORE|BOUNDED|CONDITION)\b"
    sections(desk, kind, re.sub(names, r"limits.\1", FLOWS.replace(line, "    import limits")))


IN_CONTAINERS = {
    "in a dict": ('LOCKS, SEMAPHORES = {"a": asyncio.Lock()}, {2: asyncio.Semaphore(2)}', 'LOCKS["a"]', "SEMAPHORES[2]"),
    "made when asked for": (
        "LOCKS, SEMAPHORES = collections.defaultdict(asyncio.Lock), {}",
        'LOCKS["a", 1]',
        'SEMAPHORES.setdefault("s", asyncio.Semaphore(2))',
    ),
    "of a class": (
        "class Gate:\n        lock = asyncio.Lock()\n        inner = [asyncio.Semaphore(2)]",
        "Gate.lock",
        "Gate.inner[0]",
    ),
    "of an instance": (
        "GATES = [types.SimpleNamespace(), Gate()]",
        "GATES[1].locks['a']",
        "GATES[1].semaphore",
    ),
}
GATE = """
    import collections, types
    class Gate:
        def __init__(self):
            self.locks = collections.defaultdict(asyncio.Lock)
            self.semaphore = asyncio.Semaphore(2)
"""


@pytest.mark.parametrize("kind", ["locked", "mixed"])
@pytest.mark.parametrize("where", IN_CONTAINERS)
def test_locks_in_what_stands_at_module_level(desk: Desk, where: str, kind: str) -> None:
    """Nor does it matter whether they have names, or are in containers and attributes."""
    line = next(line for line in FLOWS.splitlines() if line.strip().startswith("LOCK,"))
    made, lock, semaphore = IN_CONTAINERS[where]
    flows = FLOWS.replace(line, f"{GATE.rstrip()}\n    {made}\n{line}")
    flows = flows.replace("async with LOCK:", f"async with {lock}:").replace("async with SEMAPHORE:", f"async with {semaphore}:")
    sections(desk, kind, flows)


OF_ANYIO = FLOWS.replace("import asyncio\n", "import asyncio\n    import anyio\n", 1).replace(
    "asyncio.Lock(), asyncio.Semaphore(2), asyncio.BoundedSemaphore(2), asyncio.Condition()",
    "anyio.Lock(), anyio.Semaphore(2), anyio.CapacityLimiter(2), anyio.Condition()",
)


@pytest.mark.parametrize("kind", ["locked", "counted", "bounded", "told"])
def test_locks_of_anyio(desk: Desk, kind: str) -> None:
    """What instances share of a rewritten library holds too, where it is taken by ``async with``."""
    sections(desk, kind, OF_ANYIO)


def sections(desk: Desk, kind: str, flows: str = FLOWS) -> None:
    """Run five instances of a flow, killed twice on the way."""
    for name, text in {"room.py": ROOM, "app.py": APP, "flows.py": flows}.items():
        desk.write(name, text)
    log = desk.folder / "log"
    for lines in (3, 9):
        running = desk.start_command([sys.executable, "app.py", kind])
        running.wait_until(lambda: log.exists() and log.read_text().count("\n") >= lines)  # noqa: B023
        running.stop()
        assert running.process.returncode == KILLED, running.err
    done = desk.start_command([sys.executable, "app.py", kind]).end()
    assert (done.status, done.out) == (0, "[0, 1, 2, 3, 4]\n"), done
    assert "TOO MANY" not in log.read_text(), log.read_text()


LIBRARY = """
    import asyncio, durable_import

    class Transaction:
        async def __aenter__(self):
            await asyncio.sleep(0)
        async def __aexit__(self, *details):
            await asyncio.sleep(0)

    @durable_import.reopenable
    class Client:
        async def __aenter__(self):
            print("enter", flush=True)
            await asyncio.sleep(0)
        async def __aexit__(self, *details):
            await asyncio.sleep(0)
            print("exit", flush=True)
"""

WAITS = """
    # durable: on
    import asyncio, os, sys
    sys.path.insert(0, os.path.abspath("site-packages"))
    import library, room
    from durable_import import wait_for_event

    async def ordered():
        got = []
        async with library.Transaction():
            for _ in range(3):
                got.append(await wait_for_event("go"))
                await room.use("block", got[-1], 9)
        for _ in range(2):
            got.append(await wait_for_event("go"))
        return got

    async def opened():
        async with library.Client():
            await room.use("client", 1, 1)
            await asyncio.sleep(0.3)
            return await wait_for_event("go")
"""

WAITING_APP = """
    import asyncio, os, sys
    import durable_import
    durable_import.install()
    import waits

    async def main():
        runtime = durable_import.DurableRuntime("sqlite:///app.db", evict_after=0.03, poll_interval=0.05, lease_seconds=1)
        async with runtime:
            handle = await runtime.start(getattr(waits, sys.argv[1]), instance_id="it")
            for number in map(int, sys.argv[2:]):
                await asyncio.sleep(0.1)
                if await handle.status() != "completed":
                    await runtime.publish_event("it", "go", number)
            print(await handle.result(), flush=True)

    asyncio.run(main())
"""


def waiting(desk: Desk) -> None:
    for name, text in {"site-packages/library.py": LIBRARY, "room.py": ROOM, "waits.py": WAITS, "app.py": WAITING_APP}.items():
        desk.write(name, text)


def test_events_taken_in_a_hold_come_again(desk: Desk) -> None:
    """What was taken from the store inside a hold is there again after a kill, in the same order."""
    waiting(desk)
    log = desk.folder / "log"
    running = desk.start_command([sys.executable, "app.py", "ordered", "0", "1", "2", "3"])
    running.wait_until(lambda: log.exists() and log.read_text().count("\n") >= 2)
    running.stop()
    published = log.read_text().count("\n")
    done = desk.start_command([sys.executable, "app.py", "ordered", *map(str, range(published, 8))]).end()
    assert done.status == 0, done
    got = [int(number) for number in done.out.splitlines()[-1].strip("[]").split(",")]
    assert got[0] == 0, got
    assert got == sorted(got), got


def test_eviction_leaves_what_it_opened(desk: Desk) -> None:
    """Each manager that was entered is left, also when the instance is evicted in its block."""
    waiting(desk)
    done = desk.start_command([sys.executable, "app.py", "opened", "1", "2"]).end()
    assert done.status == 0, done
    entered = [line for line in done.out.splitlines() if line in ("enter", "exit")]
    assert entered[::2] == ["enter"] * (len(entered) // 2), done
    assert entered[1::2] == ["exit"] * (len(entered) // 2), done
    assert len(entered) % 2 == 0, done


CONDITIONS = """
    # durable: on
    import asyncio
    from world import effect

    LOCK = asyncio.Lock()
    CONDITIONS = asyncio.Condition(), asyncio.Condition(LOCK)
    FREE = asyncio.Condition()

    async def work(name, *conditions):
        for condition in conditions:
            async with condition:
                await effect(f"first {name}")
                await effect(f"second {name}")

    async def main():
        await asyncio.gather(work("a", FREE, *CONDITIONS), work("b", FREE, *CONDITIONS))
        print(LOCK.locked(), [each.locked() for each in (FREE, *CONDITIONS)])

    asyncio.run(main())
"""


def test_conditions_of_a_script(desk: Desk) -> None:
    """Its data are part of the state: who was inside is inside again, and the condition has the lock that it is left by."""
    done = lives(desk, {"program.py": CONDITIONS}, 2, 7)
    assert (done.status, done.out) == (0, "False [False, False, False]\n"), done
