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

AT_ONCE = 2.0  # seconds; a slow machine is no failure, waiting for the whole timeout is
LONG = 20.0


class WatchedStoreContract(EventStoreContract):
    """Who waits for a change is woken by it, and sleeps otherwise."""

    async def test_waiting_ends_with_its_time(self, tmp_path: Path) -> None:
        """Without changes a wait lasts as long as it was told to, and does next to nothing meanwhile."""
        store = self.open(tmp_path)
        await store.save("a", state(1, status="pending"))
        await _settle(store)
        begun, worked = time.monotonic(), time.process_time()
        await watched(store).wait_for_change(0.5)
        assert 0.4 < time.monotonic() - begun < 0.5 + AT_ONCE
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
            begun = time.monotonic()
            if status == "event":
                await events(store).publish_event("a", "e", b"")
            else:
                await store.commit(claim, state(1, status=status))
            await waiting
            assert time.monotonic() - begun < AT_ONCE
        await watched(store).wait_for_change(0.0)
        await store.close()

    async def test_change_between_two_waits_is_noticed(self, tmp_path: Path) -> None:
        """What happened since the last wait ends the next one at once, a single time."""
        store = self.open(tmp_path)
        await _settle(store)
        await events(store).publish_event("a", "e", b"")
        begun = time.monotonic()
        await watched(store).wait_for_change(LONG)
        assert time.monotonic() - begun < AT_ONCE
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
        begun = time.monotonic()
        await events(other).publish_event("a", "e", b"")
        await waiting
        assert time.monotonic() - begun < AT_ONCE
        await store.close()
        await other.close()

    async def test_every_waiting_loop_is_woken(self, tmp_path: Path) -> None:
        """Several event loops, each in a thread of its own, may wait for changes of one store object at once."""
        store = self.open(tmp_path)
        await _settle(store)
        took: list[float] = []

        def wait() -> None:
            begun = time.monotonic()
            asyncio.run(watched(store).wait_for_change(LONG))
            took.append(time.monotonic() - begun)

        threads = [threading.Thread(target=wait) for _ in range(3)]
        for thread in threads:
            thread.start()
        await asyncio.sleep(0.3)
        await events(store).publish_event("a", "e", b"")
        for thread in threads:
            await asyncio.to_thread(thread.join, LONG * 2)
        assert len(took) == 3
        assert max(took) < LONG / 2
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
        await asyncio.wait_for(second, AT_ONCE)
        await store.close()


async def _settle(store: OwningStore) -> None:
    """Take notice of what has happened so far."""
    for _ in range(2):
        await watched(store).wait_for_change(0.0)


def watched(store: OwningStore) -> WatchedStore:
    assert isinstance(store, WatchedStore)
    return store
