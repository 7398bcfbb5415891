"""What stores pass that find the instances which somebody should take up."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from durable_import.stores.base import DORMANT, FINISHED, STATUSES, OwningStore, WorkStore
from durable_import.stores.owner import Owner
from durable_import.testing.contract.events import EventStoreContract, events
from durable_import.testing.contract.owning import dead_owners
from durable_import.testing.contract.plain import STRANGE_IDS, state


class WorkStoreContract(EventStoreContract):
    """Work is what waits and is due or has an event, or was abandoned, and is owned by nobody."""

    async def test_due_instances_are_work(self, tmp_path: Path) -> None:
        """Waiting and sleeping instances whose time has come, and no others; the longest overdue first."""
        store = self.open(tmp_path)
        now = time.time()
        for status in STATUSES:
            await store.save(f"{status} due", state(1, status=status, wake_at=now - 5))
            await store.save(f"{status} later", state(1, status=status, wake_at=now + 3600))
            await store.save(f"{status} for ever", state(1, status=status, wake_at=None))
        await store.save("long ago", state(1, status="sleeping", wake_at=0.0))
        found = await work(store).find_work(100, orphans=False)
        assert found[0] == "long ago"
        assert set(found[1:]) == {f"{status} due" for status in DORMANT}
        assert len(found) == 3
        await store.save("long ago", state(2, status="sleeping", wake_at=now + 3600))
        assert "long ago" not in await work(store).find_work(100, orphans=False)
        await store.close()

    async def test_events_make_work(self, tmp_path: Path) -> None:
        """A waiting instance with an event is work until that is removed, once for any number of events; the first first."""
        store = self.open(tmp_path)
        for name in ("later", "first"):
            await store.save(name, state(1, status="waiting"))
        await store.save("both", state(1, status="sleeping", wake_at=1.0))
        await store.save("running", state(1, status="running"))
        await store.save("over", state(1, status="completed"))
        for name in ("first", "both", "nobody", "running", "over", "later", "first"):
            await events(store).publish_event(name, "e", b"")
            await asyncio.sleep(0.002)
        assert await work(store).find_work(100, orphans=False) == ["both", "first", "later"]
        first, _ = await events(store).load_events("first")
        await events(store).remove_events("first", [first.number])
        assert await work(store).find_work(100, orphans=False) == ["both", "later", "first"]
        await store.delete("later")
        for each in await events(store).load_events("first"):
            await events(store).remove_events("first", [each.number])
        assert await work(store).find_work(100, orphans=False) == ["both"]
        await store.close()

    async def test_orphans_are_work_if_asked_for(self, tmp_path: Path) -> None:
        """Pending and running instances that nobody owns, the oldest first."""
        store = self.open(tmp_path)
        for name, status in (("b", "running"), ("a", "pending"), ("c", "running"), ("w", "waiting"), ("f", "failed")):
            await store.save(name, state(1, status=status))
            await asyncio.sleep(0.002)
        assert await work(store).find_work(100, orphans=False) == []
        assert await work(store).find_work(100, orphans=True) == ["b", "a", "c"]
        await store.close()

    async def test_what_is_held_is_no_work(self, tmp_path: Path) -> None:
        """A live owner's instances are left alone until it releases them or its lease runs out."""
        store = self.open(tmp_path)
        owner = Owner.current()
        claims = [await store.acquire(name, owner) for name in ("due", "event", "orphan")]
        for claim, status, wake_at in zip(claims, ("sleeping", "waiting", "running"), (1.0, None, None), strict=True):
            await store.commit(claim, state(1, status=status, wake_at=wake_at))
        await events(store).publish_event("event", "e", b"")
        assert await work(store).find_work(100, orphans=True) == []
        for claim in claims[:2]:
            await store.release(claim)
        assert await work(store).find_work(100, orphans=True) == ["due", "event"]
        await store.renew(claims[2:], 0.05)
        await asyncio.sleep(0.1)
        assert await work(store).find_work(100, orphans=True) == ["due", "orphan", "event"]
        await store.renew(claims[2:])
        assert await work(store).find_work(100, orphans=True) == ["due", "event"]
        await store.close()

    async def test_what_a_dead_process_holds_is_work(self, tmp_path: Path) -> None:
        """A process that certainly is gone owns nothing, however long its lease; of another machine nothing is known."""
        store = self.open(tmp_path)
        dead = dead_owners()
        for number, owner in enumerate(dead):
            claim = await store.acquire(f"i{number}", owner, 3600)
            await store.commit(claim, state(1, status="sleeping", wake_at=float(number)))
        elsewhere = Owner("elsewhere", 1)
        await store.commit(await store.acquire("far", elsewhere, 3600), state(1, status="sleeping", wake_at=0.0))
        assert await work(store).find_work(100, orphans=False) == [f"i{number}" for number in range(len(dead))]
        await store.close()

    async def test_no_more_work_than_asked_for(self, tmp_path: Path) -> None:
        """The limit counts what can be taken up, not what is owned, over all kinds of work."""
        store = self.open(tmp_path)
        owner = Owner.current()
        for number in range(5):
            claim = await store.acquire(f"held{number}", owner)
            await store.commit(claim, state(1, status="sleeping", wake_at=1.0))
        for number in range(5):
            await store.save(f"due{number}", state(1, status="sleeping", wake_at=2.0 + number))
        await store.save("event", state(1, status="waiting"))
        await events(store).publish_event("event", "e", b"")
        await store.save("orphan", state(1))
        everything = [*(f"due{number}" for number in range(5)), "event", "orphan"]
        for limit in (1, 3, 6, 7, 8):
            assert await work(store).find_work(limit, orphans=True) == everything[:limit]
        assert await work(store).find_work(0, orphans=True) == []
        await store.close()

    async def test_any_id_can_have_work(self, tmp_path: Path) -> None:
        """Ids of every kind are found and removed."""
        store = self.open(tmp_path)
        for name in STRANGE_IDS:
            await store.save(name, state(1, status="waiting", wake_at=1.0))
        assert set(await work(store).find_work(100, orphans=False)) == set(STRANGE_IDS)
        for name in STRANGE_IDS:
            await store.save(name, state(2, status="completed"))
        assert await work(store).remove_finished(0.0) == len(STRANGE_IDS)
        assert await store.list() == []
        await store.close()

    async def test_finished_instances_are_removed(self, tmp_path: Path) -> None:
        """Those that ended long enough ago go, with their events, and later ones and unfinished ones stay."""
        store = self.open(tmp_path)
        for status in STATUSES:
            await store.save(status, state(1, status=status))
            await events(store).publish_event(status, "e", b"")
        assert await work(store).remove_finished(3600) == 0
        removed = [await _removed_before(store, 0.05)]
        while removed[-1] is None:  # the machine is too slow to tell what is so old from what is younger
            removed.append(await _removed_before(store, 0.05 * 4 ** len(removed)))
        assert removed[-1] == (len(FINISHED) if len(removed) == 1 else 0)
        assert {each.instance_id for each in await store.list()} == {"just now", *set(STATUSES).difference(FINISHED)}
        assert await events(store).load_events("completed") == []
        assert len(await events(store).load_events("waiting")) == 1
        assert await work(store).remove_finished(0.0) == 1
        assert await work(store).remove_finished(0.0) == 0
        await store.close()

    async def test_finished_instances_that_are_held_stay(self, tmp_path: Path) -> None:
        """An owner of a finished instance, who reads its result or tries it again, keeps it; a dead one does not."""
        store = self.open(tmp_path)
        claim = await store.acquire("held", Owner.current())
        await store.commit(claim, state(1, status="failed"))
        await store.commit(await store.acquire("dead", dead_owners()[0], 3600), state(1, status="failed"))
        assert await work(store).remove_finished(0.0) == 1
        await store.commit(claim, state(2, status="completed"))
        await store.release(claim)
        assert await work(store).remove_finished(0.0) == 1
        await store.close()


async def _removed_before(store: OwningStore, age: float) -> int | None:
    """How many are removed that are older than one which has just ended, or None if this one got so old meanwhile."""
    await asyncio.sleep(age * 1.1)
    begun = time.monotonic()
    await store.save("just now", state(1, status="completed"))
    removed = await work(store).remove_finished(age)
    return removed if time.monotonic() - begun < age else None


def work(store: OwningStore) -> WorkStore:
    assert isinstance(store, WorkStore)
    return store
