"""What stores pass that keep the states before the last one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from durable_import.errors import FencedError
from durable_import.stores.base import HistoryStore, OwningStore
from durable_import.stores.owner import Owner
from durable_import.testing.contract.owning import OwningStoreContract
from durable_import.testing.contract.plain import STRANGE_IDS, refused, state


class HistoryStoreContract(OwningStoreContract):
    """Nothing that was committed is lost before the instance is removed. ``open`` gives a store that was asked for that."""

    async def test_every_checkpoint_is_kept(self, tmp_path: Path) -> None:
        """All states come back as they were, oldest first, the present one last."""
        store = self.open(tmp_path)
        assert history(store).keeps_history
        assert await history(store).load_history("a") == []
        states = [state(n, status="running", location=f"x.py:{n} f", wake_at=n / 3, outcome=bytes([n])) for n in range(12)]
        claim = await store.acquire("a", Owner.current())
        for each in states:
            await store.commit(claim, each)
        await store.save("b", state(5))
        assert await history(store).load_history("a") == states
        assert await history(store).load_history("b") == [state(5)]
        await store.close()

    async def test_last_state_of_a_checkpoint_counts(self, tmp_path: Path) -> None:
        """A state with the number of the one before takes its place."""
        store = self.open(tmp_path)
        for number, status in ((1, "running"), (2, "running"), (2, "failed"), (3, "running")):
            await store.save("a", state(number, status=status))
        found = await history(store).load_history("a")
        assert [(each["checkpoint"], each["status"]) for each in found] == [(1, "running"), (2, "failed"), (3, "running")]
        await store.close()

    async def test_fenced_owner_makes_no_history(self, tmp_path: Path) -> None:
        """A refused commit leaves no trace."""
        store = self.open(tmp_path)
        stalled = await store.acquire("a", Owner.current(), lease_seconds=0.0)
        await store.commit(stalled, state(1))
        successor = await store.acquire("a", Owner.current())
        await store.commit(successor, state(2))
        with refused(FencedError):
            await store.commit(stalled, state(9))
        assert await history(store).load_history("a") == [state(1), state(2)]
        await store.close()

    async def test_history_goes_with_its_instance(self, tmp_path: Path) -> None:
        """Deleting removes it, and the next life under the id begins without one."""
        store = self.open(tmp_path)
        for number in (1, 2, 3):
            await store.save("a", state(number))
            await store.save("b", state(number))
        await store.delete("a")
        assert await history(store).load_history("a") == []
        await store.save("a", state(2))
        assert await history(store).load_history("a") == [state(2)]
        assert len(await history(store).load_history("b")) == 3
        await store.close()

    async def test_history_of_any_id(self, tmp_path: Path) -> None:
        """Histories do not mix, for every kind of id."""
        store = self.open(tmp_path)
        for instance_id in STRANGE_IDS:
            for number in (1, 2):
                await store.save(instance_id, state(number, function=repr(instance_id)))
        for instance_id in STRANGE_IDS:
            expected: list[dict[str, Any]] = [state(number, function=repr(instance_id)) for number in (1, 2)]
            assert await history(store).load_history(instance_id) == expected, repr(instance_id)
        await store.close()

    async def test_history_survives_reopening(self, tmp_path: Path) -> None:
        """A second store over the same place finds it, unless the store is for one process only."""
        store = self.open(tmp_path)
        for number in (1, 2):
            await store.save("a", state(number))
        await store.close()
        again = self.open(tmp_path)
        assert await history(again).load_history("a") == ([state(1), state(2)] if self.survives else [])
        await again.close()


def history(store: OwningStore) -> HistoryStore:
    """The store as one that keeps history."""
    assert isinstance(store, HistoryStore)
    return store
