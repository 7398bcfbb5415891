"""What stores pass that begin and end the life of an instance in one step."""

from __future__ import annotations

from pathlib import Path

from durable_import.errors import FencedError, InstanceBusyError
from durable_import.stores.base import LifeStore, OwningStore, life_store
from durable_import.stores.owner import Owner
from durable_import.testing.contract.events import events
from durable_import.testing.contract.owning import OwningStoreContract
from durable_import.testing.contract.plain import refused, state
from durable_import.testing.contract.segments import parts

PENDING = state(0, status="pending")


def life(store: OwningStore) -> LifeStore:
    """The store as the optional protocol."""
    found = life_store(store)
    assert found is not None
    return found


class LifeStoreContract(OwningStoreContract):
    """To begin is to acquire, to commit and to load the events; to end is to commit, to remove them and to release."""

    async def test_begin_keeps_a_new_state_once(self, tmp_path: Path) -> None:
        """The state is kept if there is none; one who begins later finds it, no matter what the state would have been."""
        store = self.open(tmp_path)
        first, none = await life(store).begin("a", Owner.current(), 30.0, PENDING)
        assert (first.state, none) == (None, [])
        assert await store.load("a") == PENDING
        await store.release(first)
        second, _ = await life(store).begin("a", Owner.current(), 30.0, state(7, status="pending"))
        assert second.state == PENDING
        assert second.epoch > first.epoch
        with refused(FencedError, "'a'"):
            await store.commit(first, state(1))
        await store.close()

    async def test_begin_without_a_state(self, tmp_path: Path) -> None:
        """Nothing is kept of an instance that is not there."""
        store = self.open(tmp_path)
        claim, _ = await life(store).begin("a", Owner.current(), 30.0, None)
        assert claim.state is None
        assert await store.load("a") is None
        await store.close()

    async def test_begin_respects_the_owner(self, tmp_path: Path) -> None:
        """Of an instance that somebody else has, nothing is changed."""
        store = self.open(tmp_path)
        await life(store).begin("a", Owner.current(), 30.0, None)
        with refused(InstanceBusyError, "'a'"):
            await life(store).begin("a", Owner.current(), 30.0, PENDING)
        assert await store.load("a") is None
        await store.close()

    async def test_begin_brings_events_and_end_removes_them(self, tmp_path: Path) -> None:
        """All that were published for the instance before; others stay."""
        store = self.open(tmp_path)
        for name in ("one", "two"):
            await events(store).publish_event("a", name, b"p")
        await events(store).publish_event("b", "other", b"")
        claim, found = await life(store).begin("a", Owner.current(), 30.0, PENDING)
        assert [each.name for each in found] == ["one", "two"]
        assert found == await events(store).load_events("a")
        await life(store).end(claim, state(1, status="completed"), keeps=False)
        assert await events(store).addressees() == ["b"]
        await store.close()

    async def test_end_lets_go(self, tmp_path: Path) -> None:
        """The last state is kept, the instance is free, and the claim is not current any more."""
        store = self.open(tmp_path)
        claim, _ = await life(store).begin("a", Owner.current(), 30.0, PENDING)
        await parts(store).commit_segments(claim, state(1), {"k": b"1"}, is_whole=True)
        await life(store).end(claim, state(2, status="completed"), keeps=False)
        assert await store.load("a") == state(2, status="completed")
        assert await parts(store).load_segments("a") == {}
        with refused(FencedError, "'a'"):
            await store.commit(claim, state(3))
        await store.acquire("a", Owner.current())
        await store.close()

    async def test_end_that_keeps(self, tmp_path: Path) -> None:
        """Of an instance that is to be tried again the segments and events stay."""
        store = self.open(tmp_path)
        claim, _ = await life(store).begin("a", Owner.current(), 30.0, PENDING)
        await parts(store).commit_segments(claim, state(1), {"k": b"1"}, is_whole=True)
        await events(store).publish_event("a", "e", b"")
        await life(store).end(claim, state(2, status="failed"), keeps=True)
        assert await parts(store).load_segments("a") == {"k": b"1"}
        assert await events(store).addressees() == ["a"]
        await store.acquire("a", Owner.current())
        await store.close()

    async def test_end_is_of_the_owner(self, tmp_path: Path) -> None:
        """One who does not own the instance any more cannot end it."""
        store = self.open(tmp_path)
        stale, _ = await life(store).begin("a", Owner.current(), 30.0, PENDING)
        await store.release(stale)
        await store.acquire("a", Owner.current())
        with refused(FencedError, "'a'"):
            await life(store).end(stale, state(2, status="completed"), keeps=False)
        assert await store.load("a") == PENDING
        await store.close()
