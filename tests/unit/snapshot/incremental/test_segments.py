"""Snapshots in segments, of instances with many tasks: what is written, when they are, and what is refused."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from durable_import.api.runtime import DurableRuntime
from durable_import.errors import SnapshotAuthenticationError
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import Claim
from durable_import.testing.contract.store import begin
from tests.harness.places import FOREIGN, MANY, Crash, Place, WatchedStore, place_of
from tests.harness.sqlite import store_over
from tests.harness.torture import fresh_module

__all__ = ["place_of"]  # the fixture

WORKER = (
    FOREIGN
    + """
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
"""
)


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
        result, _ = await place.run(crash_at=2)  # the first says that it goes on: each process gets one commit further
        if result is not None:
            break
    assert result == sum(range(100)) * 10


UP_AND_DOWN = (
    FOREIGN
    + """
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
"""
)


async def test_many_tasks_and_few_in_turns(place_of: Callable[[str], Place]) -> None:
    """From many tasks to few and back: segments come and go, and what the store keeps is what the last commit says."""
    place = place_of(UP_AND_DOWN)
    expected = [sum(range(1, MANY + 1)), 3] * 3
    result, store = await place.run()
    assert result == expected
    # when it goes back depends on when the last many tasks are collected
    assert re.fullmatch("w(sw)+", _forms(store)), _forms(store)
    assert place.segments() == {}


@pytest.mark.parametrize("forms", [*(pytest.param(each, marks=pytest.mark.slow) for each in ("s", "sws")), "wwss"])
async def test_crash_wherever_the_form_changes(place_of: Callable[..., Place], forms: str) -> None:
    """After a crash at each commit the segments kept are those of the state kept, and the result is the native one."""
    for crash_at in range(1, 22, 2):
        place = place_of(UP_AND_DOWN, forms)
        result, _ = await place.run(crash_at)
        if result is None:
            [(snapshot,)] = place.query("SELECT snapshot FROM instance")
            is_in_segments = snapshot[74 + 2 : 74 + 3] == b"s"
            assert bool(place.segments()) == is_in_segments, crash_at
            result, _ = await place.run()
        assert result == [sum(range(1, MANY + 1)), 3] * 3, crash_at
        assert place.segments() == {}
        assert place.query("SELECT status FROM instance") == [("completed",)]
        place.forget()


PHASES = (
    FOREIGN
    + """
QUIET, BUSY = 60, 30

async def take_turns(shared, turns):
    for turn in range(BUSY):
        shared[turn] = shared.get(turn, 0) + 1
        await asyncio.sleep(0)
    await turns.wait()
    return shared

async def main():
    seen = []
    for phase in range(2):
        shared, turns = {}, asyncio.Event()
        tasks = [asyncio.create_task(take_turns(shared, turns)) for _ in range(MANY)]
        for number in range(QUIET):
            seen.append(await effect(f"{phase} {number}"))
        turns.set()
        held = await asyncio.gather(*tasks)
        seen.append(([each is shared for each in held] == [True] * MANY, sorted(shared.items())))
    return seen
"""
)


def _forms(store: WatchedStore) -> str:
    """The form of each commit: whole or in segments; each one that is like the one before it is left out."""
    return re.sub(r"(.)\1+", r"\1", "".join("w" if segments is None else "s" for segments in store.commits))


async def test_form_follows_what_happens(place_of: Callable[..., Place]) -> None:
    """While all tasks run, snapshots are whole; while few do, they are in segments; also across crashes."""
    place = place_of(PHASES, forms="")
    result, store = await place.run()
    assert re.fullmatch("w(sw){2,3}", _forms(store)), _forms(store)
    place.forget()
    found = None
    for crash_at in (3, 20, 17, 11, 40, None):
        found, _ = await place.run(crash_at)
    assert found == result
    with fresh_module(place.source, "<native>", rewritten=False) as module:
        assert await module.main() == result


BUSY = (
    FOREIGN
    + """
async def turn(number):
    for _ in range(40):
        await asyncio.sleep(0)
    return number

async def main():
    return sum(await asyncio.gather(*(turn(n) for n in range(MANY))))
"""
)


async def test_program_whose_tasks_all_run_is_saved_as_a_whole(place_of: Callable[..., Place]) -> None:
    """Segments are not even tried for a program all of whose tasks go on in each round."""
    result, store = await place_of(BUSY, forms="").run()
    assert result == sum(range(MANY))
    assert len(store.commits) > 40
    assert _forms(store) == "w"


PASSING = (
    FOREIGN
    + """
async def wait(event):
    await event.wait()

async def pass_on(queue, log):
    while (item := await queue.get()) is not None:
        log.append(("passed on", item))
        await effect(str(item))

async def main():
    event, queue, log = asyncio.Event(), asyncio.Queue(), []
    waiting = [asyncio.create_task(wait(event)) for n in range(MANY)]
    worker = asyncio.create_task(pass_on(queue, log))
    for number in range(100):
        queue.put_nowait([number])
        await effect(f"put {number}")
    queue.put_nowait(None)
    await worker
    event.set()
    await asyncio.gather(*waiting)
    return log
"""
)


async def test_what_is_no_longer_shared_is_one_segment_again(place_of: Callable[..., Place]) -> None:
    """Objects that pass from one task to another by way of a list do not leave a segment each."""
    place = place_of(PASSING)
    assert (await place.run(crash_at=40))[0] is None
    before = len(place.segments())
    assert (await place.run(crash_at=60))[0] is None
    assert before > MANY
    assert len(place.segments()) < before + 30
    assert (await place.run())[0] == [("passed on", [number]) for number in range(100)]


async def test_deleted_instance_leaves_no_segments(place_of: Callable[[str], Place]) -> None:
    """Deleting an instance that crashed removes its segments, and a new life under its id begins with none."""
    place = place_of(WORKER)
    await place.run(crash_at=5)
    assert len(place.segments()) > 100
    store = SQLiteStore(str(place.path))
    await store.delete("many")
    await store.close()
    assert place.segments() == {}
    assert (await place.run())[0] == sum(range(100)) * 10


async def test_taken_over_instance_keeps_the_segments_of_its_new_owner(
    place_of: Callable[[str], Place], caplog: pytest.LogCaptureFixture
) -> None:
    """An owner that was taken over commits neither state nor segments any more; who waits there waits for the new owner."""
    place = place_of(WORKER)

    class Stalled(WatchedStore):
        """Its lease is over after five commits, and another owner has come."""

        async def _commit_and_note(self, claim: Claim, *arguments: Any) -> None:
            if len(self.commits) == 5:
                await self.release(claim)
                await begin(self, "many", new=None)
                before.update(place.segments())
            await super()._commit_and_note(claim, *arguments)

    before: dict[str, bytes] = {}
    store = Stalled(place.path)
    async with DurableRuntime(store_over(store)) as runtime:
        waiting = asyncio.create_task(runtime.run(place.module.main, instance_id="many"))
        while "goes on elsewhere" not in caplog.text:
            await asyncio.sleep(0.01)
        assert not waiting.done()
        waiting.cancel()
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


OF_MANY = "FROM durable_instance WHERE instance_id = 'many'"
CHANGES = {
    "changed": "UPDATE durable_segment SET data = :bomb WHERE key = 't0.101'",
    "one byte more": "UPDATE durable_segment SET data = data || x'00' WHERE key = 't0.1'",
    "text": "UPDATE durable_segment SET data = 'text' WHERE key = 't0.1'",
    "added": f"INSERT INTO durable_segment SELECT number, 't0.999', :bomb {OF_MANY}",
    "key of bytes": "UPDATE durable_segment SET key = x'00ff' WHERE key = 't0.1'",
    "key that is no text": "UPDATE durable_segment SET key = CAST(x'ff' AS TEXT) WHERE key = 't0.1'",
    "left out": "DELETE FROM durable_segment WHERE key = 't0.1'",
    "all left out": "DELETE FROM durable_segment",
    "swapped": "UPDATE durable_segment SET key = 'aside' WHERE key = 't0.1'; "
    "UPDATE durable_segment SET key = 't0.1' WHERE key = 't0.2'; "
    "UPDATE durable_segment SET key = 't0.2' WHERE key = 'aside'",
    "of another instance": "UPDATE durable_segment SET data = (SELECT data FROM durable_segment o WHERE "
    "o.key = durable_segment.key AND o.number <> durable_segment.number) WHERE key = 't0.101' "
    f"AND number = (SELECT number {OF_MANY})",
    "of an older checkpoint": f"UPDATE durable_segment SET data = :older WHERE key = 't0.101' AND number = "
    f"(SELECT number {OF_MANY})",
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
        async with DurableRuntime(store_over(store)) as runtime:
            await runtime.run(place.module.main, instance_id="other")
    await store.close()
    with closing(sqlite3.connect(place.path)) as connection, connection:
        for statement in CHANGES[change].split(";"):
            assert connection.execute(statement, {"bomb": _bomb(), "older": older}).rowcount
    kept = place.query("SELECT number, CAST(key AS BLOB), CAST(data AS BLOB) FROM durable_segment ORDER BY 1, 2")
    state = place.query("SELECT * FROM instance")
    RAN.clear()
    with pytest.raises(SnapshotAuthenticationError, match="stay where they are"):
        await place.run()
    assert RAN == []
    assert place.query("SELECT number, CAST(key AS BLOB), CAST(data AS BLOB) FROM durable_segment ORDER BY 1, 2") == kept
    assert place.query("SELECT * FROM instance") == state
