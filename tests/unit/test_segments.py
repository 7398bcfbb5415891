"""Snapshots in segments, of instances with many tasks: what is written, what is refused, and that identity holds."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import.errors import FencedError, SnapshotAuthenticationError
from durable_import.runtime.instance import SEGMENTS_FROM
from durable_import.runtime.runtime import DurableRuntime
from durable_import.stores.base import Claim
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite import SQLiteStateStore
from tests.harness.torture import fresh_module, hard_torture, native

MANY = SEGMENTS_FROM + 8


class Crash(Exception):
    """The process ends here: what was to be committed is not."""


class WatchedStore(SQLiteStateStore):
    """Notes what is committed. ``crash_at``: the number of the commit, from 0, that does not happen any more."""

    def __init__(self, path: Path, crash_at: int | None = None) -> None:
        super().__init__(path, "NORMAL")
        self.crash_at = crash_at
        self.commits: list[dict[str, bytes | None] | None] = []  # segments; None: a state that is complete by itself
        self.are_whole: list[bool] = []

    async def commit(self, claim: Claim, state: dict[str, Any]) -> None:
        self._note(None, True)
        await super().commit(claim, state)

    async def commit_segments(
        self, claim: Claim, state: dict[str, Any], segments: Mapping[str, bytes | None], *, is_whole: bool
    ) -> None:
        if state["status"] != "failed":
            self._note(dict(segments), is_whole)
        await super().commit_segments(claim, state, segments, is_whole=is_whole)

    def _note(self, segments: dict[str, bytes | None] | None, is_whole: bool) -> None:
        if len(self.commits) == self.crash_at:
            raise Crash
        self.commits.append(segments)
        self.are_whole.append(is_whole)


class Place:
    """A program and the database with its state."""

    def __init__(self, path: Path, module: ModuleType) -> None:
        self.path = path
        self.module = module

    async def run(self, crash_at: int | None = None) -> tuple[Any, WatchedStore]:
        """Run the program as instance 'many', or go on with it; its result is None when it crashes."""
        store = WatchedStore(self.path, crash_at)
        result = None
        try:
            async with DurableRuntime(store) as runtime:
                result = await runtime.run(self.module.main, instance_id="many")
        except Crash:
            pass
        finally:
            await store.close()
        return result, store

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def segments(self) -> dict[str, bytes]:
        return dict(self.query("SELECT key, data FROM segment WHERE instance_id = 'many'"))


@pytest.fixture
def place_of(tmp_path: Path) -> Any:
    """Makes a place for the source of a program, with the program loaded until the test ends."""
    made = []

    def make(source: str) -> Place:
        module = fresh_module(source.replace("MANY", str(MANY)), str(tmp_path / "program.py"), rewritten=True)
        made.append(module)
        return Place(tmp_path / "state.db", module.__enter__())

    yield make
    for module in made:
        module.__exit__(None, None, None)


FOREIGN = '''# durable: on
import asyncio
from world import effect
'''

WORKER = FOREIGN + '''
ROUNDS = 10

async def wait(event, number):
    mine = [number] * 10
    await event.wait()
    return sum(mine)

async def work():
    for number in range(ROUNDS):
        await effect(f"e{number}")

async def main():
    event = asyncio.Event()
    waiting = [asyncio.create_task(wait(event, n)) for n in range(100)]
    await asyncio.create_task(work())
    event.set()
    return sum(await asyncio.gather(*waiting))
'''


async def test_only_what_has_changed_is_written(place_of: Callable[[str], Place]) -> None:
    """Of a hundred tasks one runs: a checkpoint writes that one and the kernel, not the others."""
    place = place_of(WORKER)
    result, store = await place.run()
    assert result == sum(range(100)) * 10
    written = [set(segments) for segments in store.commits if segments is not None]
    assert store.are_whole[:12] == [True, True, *[False] * 10]  # at first it was one task
    assert {f"t0.{number}" for number in range(1, 102)} < written[0]
    assert written[1:10] == [{"t0.101"}] * 9, written


async def test_first_commit_after_a_crash_is_whole(place_of: Callable[[str], Place]) -> None:
    """Another process knows nothing of the segments that are kept: it writes all of them once, and then the changes."""
    place = place_of(WORKER)
    assert (await place.run(crash_at=6))[0] is None
    result, store = await place.run()
    assert result == sum(range(100)) * 10
    assert store.are_whole[:3] == [True, False, False]
    assert store.commits[0] is not None
    assert len(store.commits[0]) > 100
    assert all(segments is not None and len(segments) == 1 for segments in store.commits[1:4])


async def test_commit_that_fails_loses_no_change(place_of: Callable[[str], Place]) -> None:
    """A crash at every commit, one after the other, with a new process each time, gives the native result."""
    place = place_of(WORKER)
    for _ in range(40):
        result, _ = await place.run(crash_at=1)  # each process gets one commit further
        if result is not None:
            break
    assert result == sum(range(100)) * 10


UP_AND_DOWN = FOREIGN + '''
async def wait(future, number):
    return await future + number

async def some(count, name):
    futures = [asyncio.get_running_loop().create_future() for _ in range(count)]
    tasks = [asyncio.create_task(wait(f, n)) for n, f in enumerate(futures)]
    await effect(f"{name} begin")
    await effect(f"{name} go on")
    for future in futures:
        future.set_result(1)
    return sum(await asyncio.gather(*tasks))

async def main():
    found = []
    for turn in range(3):
        found.append(await some(MANY, f"many {turn}"))
        found.append(await some(2, f"few {turn}"))
    await effect("last")
    return found
'''


async def test_many_tasks_and_few_in_turns(place_of: Callable[[str], Place]) -> None:
    """From many tasks to few and back: segments come and go, and what the store keeps is what the last commit says."""
    place = place_of(UP_AND_DOWN)
    expected = [sum(range(1, MANY + 1)), 3] * 3
    result, store = await place.run()
    assert result == expected
    kinds = re.sub(r"(.)\1+", r"\1", "".join("c" if segments is None else "s" for segments in store.commits))
    assert re.fullmatch("c(sc)+", kinds), kinds  # when it goes back depends on when the last many tasks are collected
    assert place.segments() == {}


async def test_crash_wherever_tasks_are_many_or_few(place_of: Callable[[str], Place]) -> None:
    """After a crash at each commit the segments kept are those of the state kept, and the result is the native one."""
    for crash_at in range(1, 22, 2):
        place = place_of(UP_AND_DOWN)
        result, _ = await place.run(crash_at)
        if result is None:
            [(snapshot,)] = place.query("SELECT snapshot FROM instance")
            is_in_segments = snapshot[74 + 2 : 74 + 3] == b"s"
            assert bool(place.segments()) == is_in_segments, crash_at
            result, _ = await place.run()
        assert result == [sum(range(1, MANY + 1)), 3] * 3, crash_at
        assert place.segments() == {}
        assert place.query("SELECT status FROM instance") == [("completed",)]
        place.query("DELETE FROM instance")


async def test_deleted_instance_leaves_no_segments(place_of: Callable[[str], Place]) -> None:
    """Deleting an instance that crashed removes its segments, and a new life under its id begins with none."""
    place = place_of(WORKER)
    await place.run(crash_at=5)
    assert len(place.segments()) > 100
    store = SQLiteStateStore(place.path)
    await store.delete("many")
    await store.close()
    assert place.segments() == {}
    assert (await place.run())[0] == sum(range(100)) * 10


async def test_taken_over_instance_keeps_the_segments_of_its_new_owner(place_of: Callable[[str], Place]) -> None:
    """An owner that was taken over commits neither state nor segments any more."""
    place = place_of(WORKER)

    class Stalled(WatchedStore):
        """Its lease is over after five commits, and another owner has come."""

        async def commit_segments(self, claim: Claim, *arguments: Any, **options: Any) -> None:
            if len(self.commits) == 5:
                await self.release(claim)
                await self.acquire("many", Owner.current())
                before.update(place.segments())
            await super().commit_segments(claim, *arguments, **options)

    before: dict[str, bytes] = {}
    store = Stalled(place.path)
    with pytest.raises(FencedError):
        async with DurableRuntime(store) as runtime:
            await runtime.run(place.module.main, instance_id="many")
    await store.close()
    assert place.segments() == before
    assert len(before) > 100


# --- tampering

RAN: list[str] = []


class Bomb:
    """Notes that it was unpickled."""

    def __reduce__(self) -> Any:
        return RAN.append, ("ran",)


def _bomb() -> bytes:
    import pickle

    return pickle.dumps(Bomb())


CHANGES = {
    "changed": "UPDATE segment SET data = :bomb WHERE key = 't0.101'",
    "one byte more": "UPDATE segment SET data = data || x'00' WHERE key = 't0.1'",
    "text": "UPDATE segment SET data = 'text' WHERE key = 't0.1'",
    "added": "INSERT INTO segment VALUES ('many', 't0.999', :bomb)",
    "key of bytes": "UPDATE segment SET key = x'00ff' WHERE key = 't0.1'",
    "key that is no text": "UPDATE segment SET key = CAST(x'ff' AS TEXT) WHERE key = 't0.1'",
    "left out": "DELETE FROM segment WHERE key = 't0.1'",
    "all left out": "DELETE FROM segment",
    "swapped": "UPDATE segment SET key = 'aside' WHERE key = 't0.1'; UPDATE segment SET key = 't0.1' WHERE key = 't0.2'; "
    "UPDATE segment SET key = 't0.2' WHERE key = 'aside'",
    "of another instance": "UPDATE segment SET data = (SELECT data FROM segment o WHERE o.key = segment.key AND "
    "o.instance_id = 'other') WHERE instance_id = 'many' AND key = 't0.101'",
    "of an older checkpoint": "UPDATE segment SET data = :older WHERE key = 't0.101' AND instance_id = 'many'",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_tampered_segments_are_refused(place_of: Callable[[str], Place], change: str) -> None:
    """A segment that is not the one that was committed is refused before anything is unpickled, and stays where it is."""
    place = place_of(WORKER)
    await place.run(crash_at=4)
    older = place.segments()["t0.101"]
    await place.run(crash_at=3)
    assert place.segments()["t0.101"] != older
    store = WatchedStore(place.path, crash_at=6)
    with pytest.raises(Crash):
        async with DurableRuntime(store) as runtime:
            await runtime.run(place.module.main, instance_id="other")
    await store.close()
    with closing(sqlite3.connect(place.path)) as connection, connection:
        for statement in CHANGES[change].split(";"):
            assert connection.execute(statement, {"bomb": _bomb(), "older": older}).rowcount
    kept = place.query("SELECT instance_id, CAST(key AS BLOB), CAST(data AS BLOB) FROM segment ORDER BY 1, 2")
    state = place.query("SELECT * FROM instance")
    RAN.clear()
    with pytest.raises(SnapshotAuthenticationError, match="stay where they are"):
        await place.run()
    assert RAN == []
    assert place.query("SELECT instance_id, CAST(key AS BLOB), CAST(data AS BLOB) FROM segment ORDER BY 1, 2") == kept
    assert place.query("SELECT * FROM instance") == state


# --- identity

SHARED = {
    "a list": "shared = []; use = lambda n: (shared.append(n), len(shared))[1]",
    "a dict": "shared = {}; use = lambda n: (shared.update({n: n}), len(shared))[1]",
    "a set": "shared = set(); use = lambda n: (shared.add(n), len(shared))[1]",
    "a tuple": "inner = []; shared = (inner, 'x'); use = lambda n: (shared[0].append(n), len(inner))[1]",
    "a deque": "shared = collections.deque(maxlen=5); use = lambda n: (shared.append(n), list(shared))[1]",
    "an array of bytes": "shared = bytearray(); use = lambda n: (shared.append(n), len(shared))[1]",
    "an instance": "shared = Plain(); use = lambda n: setattr(shared, 'total', shared.total + n) or shared.total",
    "an instance with slots": "shared = Slotted(); use = lambda n: setattr(shared, 'total', shared.total + n) or shared.total",
    "a cell": "shared, use = counter()",
    "a bound method": "owner = Plain(); shared = owner; use = owner.add",
    "an iterator": "shared = iter(range(1000)); use = lambda n: next(shared)",
    "a generator": "shared = numbers(); use = lambda n: next(shared)",
    "an object in two cycles": "shared = Plain(); shared.me = [shared, {'it': shared}]; "
    "use = lambda n: (shared.me[1]['it'].me.append(n), len(shared.me), shared.me[0] is shared)[1:]",
    "a context variable": "shared = variable.get(); use = lambda n: (variable.get().append(n), len(shared))[1]",
    "an exception": "shared = KeyError([]); use = lambda n: (shared.args[0].append(n), len(shared.args[0]))[1]",
    "two objects in a circle": "shared, other = Plain(), Plain(); shared.other, other.other = other, shared; "
    "use = lambda n: other.other.add(n)",
    "a future": "shared = asyncio.get_running_loop().create_future(); seen = []; shared.add_done_callback(seen.append); "
    "use = lambda n: (shared.done() or shared.set_result(n), shared.result(), seen == [shared])[1:]",
    "a task": "shared = asyncio.current_task(); shared.set_name('root'); "
    "use = lambda n: (shared.get_name(), shared.set_name(f'root {n}'))",
    "a queue": "shared = asyncio.Queue(); use = lambda n: (shared.put_nowait(n), shared.qsize())[1]",
    "a semaphore": "shared = asyncio.Semaphore(2); use = lambda n: (shared.release(), shared._value)[1]",
    "an event": "shared = asyncio.Event(); use = lambda n: (shared.clear() if shared.is_set() else shared.set(), "
    "shared.is_set())",
    "a class": "shared = local_class(); use = lambda n: setattr(shared, 'total', shared.total + n) or shared().total",
}

SHARING = '''# durable: on
import asyncio
import collections
import contextvars
from world import effect

variable = contextvars.ContextVar("variable")


class Plain:
    total = 0

    def add(self, number):
        self.total += number
        return self.total


class Slotted:
    __slots__ = ("total",)

    def __init__(self):
        self.total = 0


def counter():
    total = 0

    def add(number):
        nonlocal total
        total += number
        return total

    return add, add


def numbers():
    yield from range(1000)


def local_class():
    class Local:
        total = 0

    return Local


async def hold(shared, use, number, gates, log):
    mine = [shared]
    for turn, gate in enumerate(gates):
        await gate.wait()
        assert mine[0] is shared
        if number % 4 == 0:
            await effect(f"{number} {turn}")
        log.append((number, use(number)))
    return shared


async def main():
    variable.set([])
    SETUP
    gates, log = [asyncio.Event(), asyncio.Event(), asyncio.Event()], []
    tasks = [asyncio.create_task(hold(shared, use, n, gates, log)) for n in range(MANY)]
    for gate in gates:
        await effect("open")
        gate.set()
        await asyncio.sleep(0.01)
    held = await asyncio.gather(*tasks)
    return log, {id(each) for each in held} == {id(shared)}
'''


@pytest.mark.parametrize("what", SHARED)
def test_what_tasks_share_stays_one_object(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tasks that share an object see each other's changes of it after every save and restore, and it is the same one."""
    monkeypatch.setenv("EFFECT_LOG", str(tmp_path / "effects"))
    source = SHARING.replace("SETUP", SHARED[what]).replace("MANY", "8")
    expected = native(source)
    assert expected.endswith(", True)")
    assert hard_torture(source, segments_from=1, every=2) == expected


@pytest.mark.parametrize("what", SHARED)
async def test_what_many_tasks_share_survives_crashes(place_of: Callable[[str], Place], what: str) -> None:
    """The same with a store and a crash at some of the commits, for more tasks than are saved as a whole."""
    source = SHARING.replace("SETUP", SHARED[what])
    place = place_of(source)
    with fresh_module(source.replace("MANY", str(MANY)), "<native>", rewritten=False) as module:
        expected = await module.main()
    begun_in_segments = 0
    for crash_at in (3, 1, 5, None):
        begun_in_segments += bool(place.path.exists() and place.segments())
        result, _ = await place.run(crash_at)
    assert begun_in_segments == 3
    assert result == expected
