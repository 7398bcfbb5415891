"""What stores with owners pass: epochs, leases, fencing."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
from abc import abstractmethod
from pathlib import Path
from typing import Any

from durable_import.errors import FencedError, InstanceBusyError
from durable_import.stores.base import OwningStore
from durable_import.stores.owner import Owner
from durable_import.testing.contract.plain import StateStoreContract, refused, state


class OwningStoreContract(StateStoreContract):
    """What owners, epochs and leases promise."""

    @abstractmethod
    def open(self, folder: Path) -> OwningStore: ...

    async def test_claim_brings_the_state(self, tmp_path: Path) -> None:
        """Acquiring gives the state found, None at first."""
        store = self.open(tmp_path)
        first = await store.acquire("a", Owner.current())
        assert first.state is None
        await store.commit(first, state(1))
        await store.release(first)
        second = await store.acquire("a", Owner.current())
        assert second.state == state(1)
        assert second.epoch > first.epoch
        await store.close()

    async def test_live_owner_is_respected(self, tmp_path: Path) -> None:
        """While a live owner's lease runs, others are refused and told who it is, also for save."""
        store = self.open(tmp_path)
        owner = Owner.current()
        await store.acquire("a", owner)
        with refused(InstanceBusyError, "'a'", str(owner.pid), owner.host, "since"):
            await store.acquire("a", Owner.current())
        with refused(InstanceBusyError, str(owner.pid)):
            await store.save("a", state(1))
        assert await store.load("a") is None
        await store.acquire("b", Owner.current())
        await store.close()

    async def test_same_owner_may_acquire_again(self, tmp_path: Path) -> None:
        """The newer claim of one owner fences its older one."""
        store = self.open(tmp_path)
        owner = Owner.current()
        old = await store.acquire("a", owner)
        new = await store.acquire("a", owner)
        with refused(FencedError, "'a'", str(old.epoch)):
            await store.commit(old, state(1))
        await store.commit(new, state(2))
        assert await store.load("a") == state(2)
        await store.close()

    async def test_expired_lease_is_taken_over_and_fenced(self, tmp_path: Path) -> None:
        """After its lease a live owner may be taken over; what it commits then is refused and changes nothing."""
        store = self.open(tmp_path)
        stalled = await store.acquire("a", Owner.current(), lease_seconds=0.05)
        await store.commit(stalled, state(1))
        await asyncio.sleep(0.1)
        successor = await store.acquire("a", Owner.current())
        assert successor.state == state(1)
        await store.commit(successor, state(2))
        with refused(FencedError):
            await store.commit(stalled, state(99))
        assert await store.load("a") == state(2)
        await store.close()

    async def test_expired_lease_without_successor_still_commits(self, tmp_path: Path) -> None:
        """The epoch decides, not the clock."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current(), lease_seconds=0.0)
        await store.commit(claim, state(1))
        assert await store.renew([claim]) == []
        with refused(InstanceBusyError):
            await store.acquire("a", Owner.current())
        await store.close()

    async def test_renewal_prolongs_and_names_what_is_lost(self, tmp_path: Path) -> None:
        """Renewed leases run on; claims that are not current come back."""
        store = self.open(tmp_path)
        kept = await store.acquire("kept", Owner.current(), lease_seconds=0.05)
        lost = await store.acquire("lost", Owner.current(), lease_seconds=0.0)
        await store.acquire("lost", Owner.current())
        assert await store.renew([kept, lost], 60.0) == [lost]
        await asyncio.sleep(0.1)
        with refused(InstanceBusyError):
            await store.acquire("kept", Owner.current())
        await store.close()

    async def test_dead_owner_is_taken_over_at_once(self, tmp_path: Path) -> None:
        """A process of this machine that is gone, or whose pid was used again, does not keep its lease."""
        store = self.open(tmp_path)
        for number, dead in enumerate(dead_owners()):
            old = await store.acquire(f"a{number}", dead, lease_seconds=3600)
            new = await store.acquire(f"a{number}", Owner.current())
            with refused(FencedError):
                await store.commit(old, state(1))
            await store.commit(new, state(2))
        await store.close()

    async def test_owner_elsewhere_is_taken_over_after_its_lease_only(self, tmp_path: Path) -> None:
        """Of a process on another host or boot, or in another container, nothing is known until its lease ends."""
        store = self.open(tmp_path)
        here = dead_owners()[0]
        for remote in (
            dataclasses.replace(here, host="elsewhere"),
            dataclasses.replace(here, pid_space="pid:[1]"),
            dataclasses.replace(here, machine="other"),
            dataclasses.replace(here, boot="that of a clone"),
        ):
            claim = await store.acquire("a", remote, lease_seconds=3600)
            with refused(InstanceBusyError, remote.host):
                await store.acquire("a", Owner.current())
            await store.renew([claim], 0.0)
            await store.release(await store.acquire("a", Owner.current()))
        await store.close()

    async def test_release_frees_and_ends_the_claim(self, tmp_path: Path) -> None:
        """After release the next owner comes at once, and the old claim is not current; releasing twice is fine."""
        store = self.open(tmp_path)
        old = await store.acquire("a", Owner.current())
        await store.commit(old, state(1))
        await store.release(old)
        with refused(FencedError):
            await store.commit(old, state(9))
        new = await store.acquire("a", Owner.current())
        await store.release(old)
        await store.commit(new, state(2))
        assert await store.load("a") == state(2)
        await store.close()

    async def test_deleted_instance_does_not_come_back(self, tmp_path: Path) -> None:
        """Delete removes state and claim; an epoch from before is never current again."""
        store = self.open(tmp_path)
        old = await store.acquire("a", Owner.current())
        await store.commit(old, state(1))
        await store.delete("a")
        await store.delete("never there")
        assert await store.load("a") is None
        with refused(FencedError):
            await store.commit(old, state(9))
        new = await store.acquire("a", Owner.current())
        assert new.state is None
        assert new.epoch > old.epoch
        with refused(FencedError):
            await store.commit(old, state(9))
        await store.close()

    async def test_list_shows_saved_instances(self, tmp_path: Path) -> None:
        """Each instance with a state is listed with its facts and its owner, the newest first."""
        store = self.open(tmp_path)
        assert await store.list() == []
        await store.save("../x", state(1, status="waiting", wake_at=5e9))
        owner = Owner.current()
        await store.acquire("without state", owner)
        await store.commit(await store.acquire("b\udc80", owner), state(5))
        newer, older = await store.list()
        assert (newer.instance_id, newer.checkpoint, newer.owner) == ("b\udc80", 5, owner)
        assert newer.lease_until is not None
        assert (newer.wake_at, older.wake_at) == (None, 5e9)
        assert (older.instance_id, older.status, older.owner) == ("../x", "waiting", None)
        assert (older.location, older.function, older.lease_until) == ("app.py:7 main", "app:main", None)
        assert newer.updated_at >= older.updated_at > 1e9
        await store.close()

    async def test_each_commit_gets_its_own_answer(self, tmp_path: Path) -> None:
        """Among concurrent commits only the fenced ones are refused, and the last of one owner wins."""
        store = self.open(tmp_path)
        owner = Owner.current()
        stale = [await store.acquire(f"i{n}", owner) for n in range(0, 30, 3)]
        claims = [await store.acquire(f"i{n}", owner) for n in range(30)]
        attempts = [*stale, *claims]
        answers = await asyncio.gather(*(store.commit(each, state(n)) for n, each in enumerate(attempts)), return_exceptions=True)
        assert [type(answer) for answer in answers] == [FencedError] * len(stale) + [type(None)] * len(claims)
        await asyncio.gather(*(store.commit(claims[0], state(n)) for n in range(100, 150)))
        assert await store.load("i0") == state(149)
        assert await store.load("i29") == state(39)
        await store.close()

    async def test_what_is_not_a_state_is_refused(self, tmp_path: Path) -> None:
        """A missing, unknown or wrong entry is an error: it would be dropped silently otherwise."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        wrong: list[dict[str, Any]] = [{}, state(1, extra=1), state(1, snapshot="text"), state(1, status=None)]
        wrong.append({key: value for key, value in state(1).items() if key != "outcome"})
        for each in wrong:
            with refused(TypeError, "state"):
                await store.commit(claim, each)
        with refused(TypeError, "'wake_at'", "a float or None", "a str"):
            await store.commit(claim, state(1, wake_at="soon"))
        await store.commit(claim, state(1))
        await store.close()

    async def test_commit_of_a_cancelled_task_still_happens(self, tmp_path: Path) -> None:
        """What was handed in is committed, and the store goes on."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        task = asyncio.create_task(store.commit(claim, state(1)))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert await store.load("a") == state(1)
        await store.close()

    async def test_store_opens_again_after_close(self, tmp_path: Path) -> None:
        """Close lets go of resources, twice is fine, and the next use opens the store again."""
        store = self.open(tmp_path)
        await store.close()
        await store.save("a", state(1))
        await store.close()
        await store.close()
        await store.save("a", state(2))
        assert await store.load("a") == state(2)
        await store.close()


def dead_owners() -> list[Owner]:
    """Owners on this machine that certainly do not live; where the system does not tell, the ended process only."""
    here = Owner.current()
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    dead = [dataclasses.replace(here, pid=child.pid, started="")]
    if here.started:
        dead.append(dataclasses.replace(here, started="1"))  # this pid, but an earlier process
    return dead
