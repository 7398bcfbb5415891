"""What stores pass that tell when to look for events and work."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

from durable_import.stores.base import FINISHED, OwningStore, WatchedStore
from durable_import.stores.owner import Owner
from durable_import.testing.contract.events import EventStoreContract, events
from durable_import.testing.contract.plain import state

LONG = 3600.0  # seconds that nobody waits for
PATIENCE = 60.0  # seconds that only end what hangs: a slow machine is no failure


class WatchedStoreContract(EventStoreContract):
    """One who waits for a change is woken by it, and sleeps otherwise."""

    async def test_waiting_ends_with_its_time(self, tmp_path: Path) -> None:
        """Without changes a wait lasts as long as it was told to, and does next to nothing meanwhile."""
        store = self.open(tmp_path)
        await store.save("a", state(1, status="pending"))
        await _settle(store)
        begun, worked = time.monotonic(), time.process_time()
        await asyncio.wait_for(watched(store).wait_for_change(0.5), PATIENCE)
        assert time.monotonic() - begun > 0.4
        assert time.process_time() - worked < 0.25
        await store.close()

    async def test_own_changes_wake_at_once(self, tmp_path: Path) -> None:
        """Events, and commits as pending or finished, end a wait that is going on; a time of 0 asks without waiting."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _settle(store)
        for status in ("pending", *FINISHED, "event"):
            waiting = asyncio.create_task(watched(store).wait_for_change(LONG))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            if status == "event":
                await events(store).publish_event("a", "e", b"")
            else:
                await store.commit(claim, state(1, status=status))
            await asyncio.wait_for(waiting, PATIENCE)
        await watched(store).wait_for_change(0.0)
        await store.close()

    async def test_change_between_two_waits_is_noticed(self, tmp_path: Path) -> None:
        """What happened since the last wait ends the next one at once, a single time."""
        store = self.open(tmp_path)
        await _settle(store)
        await events(store).publish_event("a", "e", b"")
        await asyncio.wait_for(watched(store).wait_for_change(LONG), PATIENCE)
        begun = time.monotonic()
        await watched(store).wait_for_change(0.3)
        assert time.monotonic() - begun > 0.2
        await store.close()

    async def test_checkpoints_wake_nobody(self, tmp_path: Path) -> None:
        """Commits of instances that just run, sleep or wait are no change that anybody waits for."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _settle(store)
        waiting = asyncio.create_task(watched(store).wait_for_change(0.5))
        begun = time.monotonic()
        for number, status in enumerate(("running", "sleeping", "waiting", "running")):
            await store.commit(claim, state(number, status=status))
        await waiting
        assert time.monotonic() - begun > 0.4
        await store.close()

    async def test_change_by_another_store_object_is_noticed(self, tmp_path: Path) -> None:
        """Another store over the same data wakes the waiting one within its time, unless the store is for one only."""
        store, other = self.open(tmp_path), self.open(tmp_path)
        await other.save("b", state(1))
        await _settle(store)
        waiting = asyncio.create_task(watched(store).wait_for_change(LONG if self.survives else 0.3))
        await asyncio.sleep(0.05)
        await events(other).publish_event("a", "e", b"")
        await asyncio.wait_for(waiting, PATIENCE)
        await store.close()
        await other.close()

    async def test_every_waiting_loop_is_woken(self, tmp_path: Path) -> None:
        """Several event loops, each in a thread of its own, may wait for changes of one store object at once."""
        store = self.open(tmp_path)
        await _settle(store)
        woken: list[None] = []

        def wait() -> None:
            asyncio.run(asyncio.wait_for(watched(store).wait_for_change(LONG), PATIENCE))
            woken.append(None)

        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(2):  # on a slow machine one of them may not wait yet when the first change comes, but not two
            await asyncio.sleep(0.3)
            await events(store).publish_event("a", "e", b"")
            for thread in threads:
                await asyncio.to_thread(thread.join, PATIENCE / 10)
        assert len(woken) == 3
        await store.close()

    async def test_cancelled_wait_harms_nobody(self, tmp_path: Path) -> None:
        """A wait that is cancelled leaves the others waiting, and the next change wakes them."""
        store = self.open(tmp_path)
        await _settle(store)
        first, second = (asyncio.create_task(watched(store).wait_for_change(LONG)) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        assert not second.done()
        await events(store).publish_event("a", "e", b"")
        await asyncio.wait_for(second, PATIENCE)
        await store.close()


async def _settle(store: OwningStore) -> None:
    """Take notice of what has happened so far."""
    for _ in range(2):
        await watched(store).wait_for_change(0.0)


def watched(store: OwningStore) -> WatchedStore:
    assert isinstance(store, WatchedStore)
    return store
