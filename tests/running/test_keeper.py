"""The keeper of the lease: what it takes for dead and what not, and what it survives."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import random
import threading
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from durable_import import DurableRuntime, FencedError, InstanceBusyError, StoreUnavailableError
from durable_import.running import keeper as keeping
from durable_import.running.keeper import Keeper
from durable_import.stores import memory
from durable_import.stores.memory import InMemoryStateStore, MemoryStore
from durable_import.stores.owner import Owner
from durable_import.stores.sqlite.instances import SQLiteStore
from durable_import.stores.state import OwnerRow
from durable_import.testing.contract.store import CALL, PENDING, begin, commit, register, saved, to_do
from tests.harness.users_store import store_over
from tests.running.effects import world
from tests.running.test_life import until

LEASE = 30.0


class Clock:
    """The time of a simulation, in seconds."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.jump = 1.7e9  # of the wall clock

    def passing(self) -> float:
        return self.now

    def wall(self) -> float:
        return self.now + self.jump


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What keepers and the store in memory go by."""
    clock = Clock()
    monkeypatch.setattr(keeping, "passing", clock.passing)
    for module in (keeping, memory):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=clock.wall, sleep=time.sleep))
    return clock


class Fleet:
    """Processes over one store, whose keepers take their rounds when the clock says so."""

    def __init__(self, clock: Clock, count: int) -> None:
        self.clock, self.store = clock, Away()
        self.keepers = [Keeper(self.store, LEASE) for _ in range(count)]
        self.due = {keeper: clock.now + random.uniform(0, LEASE / 6) for keeper in self.keepers}
        for keeper in self.keepers:
            keeper._is_wanted = True

    def passes(self, seconds: float) -> None:
        """Let all who live take their rounds."""
        end = self.clock.now + seconds
        while self.due and min(self.due.values()) <= end:
            keeper = min(self.due, key=lambda each: self.due[each])
            self.clock.now = max(self.clock.now, self.due[keeper])
            error = keeper._attempt()
            self.due[keeper] = self.clock.now + (LEASE / 10 if error else LEASE / 6) * random.uniform(1.0, 1.2)
        self.clock.now = end

    def owners(self) -> list[int]:
        """The rows of those who live, as they know them."""
        return [keeper.own.number for keeper in self.due if keeper.own is not None]


class Away(MemoryStore):
    """Refuses what keepers ask for while ``is_away``."""

    is_away = False

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        self._refuse()
        return super().renew(owner, old, new, lease)

    def owners(self) -> list[OwnerRow]:
        self._refuse()
        return super().owners()

    def _refuse(self) -> None:
        if self.is_away:
            raise StoreUnavailableError("away")


@pytest.mark.parametrize("away", [10.0, 45.0, 600.0])
def test_nobody_is_buried_when_the_store_comes_back(away: float, clock: Clock) -> None:
    """However long it was away: those who live have their leases renewed before anybody concludes anything."""
    fleet = Fleet(clock, 20)
    fleet.passes(60)
    before = fleet.owners()
    fleet.store.is_away = True
    fleet.passes(away)
    fleet.store.is_away = False
    fleet.passes(120)
    assert fleet.owners() == before
    assert {row.id for row in fleet.store.owners()} == set(before)


@pytest.mark.parametrize("jump", [3600.0, -3600.0])
def test_nobody_is_buried_when_the_clock_jumps(jump: float, clock: Clock) -> None:
    """All leases have run out by it, or none ever will: only what passes counts."""
    fleet = Fleet(clock, 20)
    fleet.passes(60)
    before = fleet.owners()
    clock.jump += jump
    fleet.passes(120)
    assert fleet.owners() == before
    dead = fleet.keepers[0]
    del fleet.due[dead]
    fleet.passes(LEASE * 2.5)
    assert dead.own is not None
    assert dead.own.number not in {row.id for row in fleet.store.owners()}


async def test_a_death_elsewhere_is_seen_within_a_lease(clock: Clock) -> None:
    """By those who have watched all the time; what the dead one had is free then."""
    fleet = Fleet(clock, 5)
    fleet.passes(60)
    dead = fleet.keepers[0]
    assert dead.own is not None
    begun = await begin(fleet.store, "a", dead.own.number)
    await commit(fleet.store, begun, saved(1))
    del fleet.due[dead]
    fleet.passes(LEASE / 2)
    assert dead.own.number in {row.id for row in fleet.store.owners()}
    fleet.passes(LEASE * 0.8)
    assert dead.own.number not in {row.id for row in fleet.store.owners()}
    assert await to_do(fleet.store, 9, orphans=True) == ["a"]
    with pytest.raises(FencedError):
        await commit(fleet.store, begun, saved(2))


def test_who_has_slept_concludes_nothing(clock: Clock) -> None:
    """A machine that wakes up finds that nobody's beat has changed: all may have slept with it."""
    fleet = Fleet(clock, 10)
    fleet.passes(60)
    before = fleet.owners()
    for keeper in fleet.due:
        fleet.due[keeper] += 3600
    fleet.passes(3600 + 120)
    assert fleet.owners() == before


def test_the_second_of_two_twins_loses(clock: Clock) -> None:
    """A machine that was resumed twice from one image: both think that the row is theirs, and it beats for one of them."""
    fleet = Fleet(clock, 2)
    one, other = fleet.keepers
    fleet.passes(10)
    assert one.own is not None
    other.own = keeping.Ownership(other, one.own.number, one.own.closes_at)
    other.own.beat = one.own.beat
    one._attempt()
    own = other.own
    other._attempt()
    assert not one.own.is_lost
    assert own.is_lost
    assert own.closes_at < clock.now


def test_a_store_that_has_gone_back_has_a_beat_of_before(clock: Clock) -> None:
    """The last renewals are lost with other commits: the owner that wrote them is not dead for that."""
    fleet = Fleet(clock, 2)
    one, _ = fleet.keepers
    fleet.passes(10)
    assert one.own is not None
    own, before = one.own, one.own.beat
    fleet.passes(20)
    assert own.beat != before
    assert fleet.store.renew(own.number, own.beat, before, LEASE)
    fleet.passes(100)
    assert not own.is_lost
    assert own.closes_at > clock.now


async def test_what_nobody_else_has_taken_up_goes_on_here(flows: ModuleType, tmp_path: Path) -> None:
    """A process that was taken for dead asks for what it had: who waits for that here does not wait for ever."""
    async with asyncio.timeout(60), DurableRuntime(f"sqlite:///{tmp_path}/state.db", poll_interval=0.05) as runtime:
        kept = await runtime.start(flows.collect, "word", 2, instance_id="a")
        await kept.send("word", 1)
        await until(lambda: len(world) == 0 and "a" in runtime.running)
        while (await kept.info()).checkpoint < 1:
            await asyncio.sleep(0.01)
        own = runtime.keeper.own
        assert own is not None
        store, beat = runtime.instances, own.beat
        while await asyncio.to_thread(store.bury, own.number, beat, 100):
            pass
        own.ends()
        await kept.send("word", 2)
        assert await kept.result() == [1, 2]
        assert (await kept.info()).attempts == 0


def test_a_renewal_whose_answer_was_lost_is_one(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row has the beat that was not confirmed: it is that of nobody else."""
    fleet = Fleet(clock, 1)
    [keeper] = fleet.keepers
    fleet.passes(10)
    renew = fleet.store.renew

    def loses_its_answer(*arguments: int) -> bool:
        renew(*arguments)
        raise StoreUnavailableError("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(fleet.store, "renew", loses_its_answer)
        for _ in range(3):
            clock.now += 1
            assert keeper._attempt() is not None
    clock.now += 1
    assert keeper._attempt() is None
    assert keeper.own is not None
    assert keeper.own.closes_at == clock.now + LEASE


async def test_a_clone_is_watched(clock: Clock) -> None:
    """Its row has the name and the id of this machine, another boot, and a process that is not here: its lease decides."""
    fleet = Fleet(clock, 1)
    here = Owner.current()
    clone = dataclasses.replace(here, pid=2**22 + 1, boot="that of a clone")
    number = fleet.store.register(clone, LEASE)
    fleet.passes(LEASE * 0.9)
    assert number in {row.id for row in fleet.store.owners()}
    fleet.passes(LEASE)
    assert number not in {row.id for row in fleet.store.owners()}
    gone = fleet.store.register(dataclasses.replace(here, pid=2**22 + 1, session="77"), LEASE)
    fleet.passes(LEASE / 3)
    assert gone not in {row.id for row in fleet.store.owners()}


async def test_who_is_told_that_an_instance_is_busy_has_it_looked_at(tmp_path: Path) -> None:
    """Where the death is certain it has the instance at once; where the lease has run out it waits until that is known."""
    store = SQLiteStore(str(tmp_path / "state.db"))
    here = Owner.current()
    dead = store.register(dataclasses.replace(here, pid=2**22 + 1), 3600.0)
    await begin(store, "dead", dead)
    await begin(store, "alive", register(store))
    await begin(store, "silent", store.register(dataclasses.replace(here, boot="another"), 0.1))
    keeper = Keeper(store, 0.3)
    begun, own = await keeper.begin("dead", PENDING, CALL)
    assert (begun.is_new, begun.attempts) == (False, 1)
    with pytest.raises(InstanceBusyError):
        await keeper.begin("alive", PENDING, CALL)
    await asyncio.sleep(0.1)
    begun, _ = await keeper.begin("silent", PENDING, CALL)
    assert begun.state == PENDING
    await keeper.close()
    assert own.number not in {row.id for row in store.owners()}
    await store.close()


class Unlucky(MemoryStore):
    """Its rounds fail in every way."""

    def __init__(self) -> None:
        super().__init__()
        self.failures: list[BaseException] = []

    def renew(self, owner: int, old: int, new: int, lease: float) -> bool:
        if self.failures:
            raise self.failures.pop()
        return super().renew(owner, old, new, lease)


async def test_a_round_that_fails_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever it fails by; that is told once, and the lease is renewed again."""
    store = Unlucky()
    keeper = Keeper(store, 0.3)
    own = await keeper.ownership()
    store.failures = [OSError(24, "Too many open files"), MemoryError(), SystemExit(1), KeyboardInterrupt(), RecursionError()]
    await until(lambda: not store.failures)
    before = own.closes_at
    await until(lambda: own.closes_at > before)
    assert not own.is_lost
    assert len([record for record in caplog.records if "lease of this process was not renewed" in record.message]) == 1
    await keeper.close()


async def test_steps_wait_for_a_renewal(flows: ModuleType) -> None:
    """While the lease is not known to be valid no step begins; then all goes on, and nothing has happened twice."""
    store = Away()
    async with DurableRuntime(store_over(store), lease_seconds=0.3, poll_interval=0.02) as runtime:
        handle = await runtime.start(flows.steps, 60, 0.02, instance_id="steps")
        await until(lambda: "step 3" in world)
        store.is_away = True
        await asyncio.sleep(0.5)
        done = list(world)
        await asyncio.sleep(0.2)
        assert world == done
        store.is_away = False
        assert await handle.result(timeout=60) == list(range(60))
    assert world == [f"step {number}" for number in range(60)]


async def test_many_end_beside_renewals(flows: ModuleType) -> None:
    """A renewal tells an instance nothing: none of those that end meanwhile is taken for lost."""
    async with DurableRuntime(InMemoryStateStore(), lease_seconds=0.05, poll_interval=0.02) as runtime:
        for _ in range(5):
            handles = [await runtime.start(flows.add, number) for number in range(100)]
            assert await asyncio.gather(*(handle.result(timeout=60) for handle in handles)) == list(range(100))


async def test_a_busy_loop_loses_nothing(flows: ModuleType, tmp_path: Path) -> None:
    """It may last longer than the lease: another thread renews it, and who watches sees that."""
    url = f"sqlite:///{tmp_path}/state.db"
    watching = SQLiteStore(str(tmp_path / "state.db"))
    async with DurableRuntime(url, lease_seconds=0.6, poll_interval=0.02) as runtime:
        own = await runtime.keeper.ownership()
        watcher = Keeper(watching, 0.6)
        await watcher.ownership()
        handle = await runtime.start(flows.steps, 3, 0.01, instance_id="steps")
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            pass
        assert await handle.result(timeout=60) == [0, 1, 2]
        assert not own.is_lost
        await watcher.close()
    await watching.close()
    assert world == ["step 0", "step 1", "step 2"]


async def test_a_row_that_is_lost_in_the_round_that_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits for one gets the next one."""
    keeper = Keeper(MemoryStore(), 0.2)
    look = keeper._look
    lost: list[keeping.Ownership] = []

    def lose() -> None:
        if keeper.own is not None and not lost:
            lost.append(keeper.own)
            keeper.own.ends()
        look()

    monkeypatch.setattr(keeper, "_look", lose)
    own = await asyncio.wait_for(keeper.ownership(), 60)
    assert not own.is_lost
    assert own is not lost[0]
    await keeper.close()


class Late:
    """A lock that an event loop comes to late: when what it has told a thread has had its effect, if it has told it something."""

    def __init__(self, keeper: Keeper, lock: Any) -> None:
        self._keeper, self._lock = keeper, lock

    def __enter__(self) -> None:
        thread = self._keeper._thread
        if thread is not None and thread is not threading.current_thread():
            self._keeper._call.set()
            thread.join(0.3)
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


async def test_a_thread_that_ends_while_it_is_told_to_is_not_waited_for() -> None:
    """The close comes back however the two meet, and no other thread is begun for it."""
    keeper = Keeper(MemoryStore(), LEASE)
    await keeper.ownership()
    thread = keeper._thread
    assert thread is not None
    keeper._lock = Late(keeper, keeper._lock)  # type: ignore[assignment]
    await asyncio.wait_for(keeper.close(), 10)
    thread.join(10)
    assert not thread.is_alive()
    assert keeper._thread is None


async def test_the_thread_of_a_keeper_that_nobody_has_ends() -> None:
    """Such as that of a runtime which was never closed."""
    keeper = Keeper(MemoryStore(), LEASE)
    await keeper.ownership()
    thread = keeper._thread
    assert thread is not None
    del keeper
    while thread.is_alive():  # what brought the answer has it for a moment too, in the loop and in the thread
        gc.collect()
        await asyncio.sleep(0.01)
