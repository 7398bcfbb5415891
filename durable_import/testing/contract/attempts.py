"""What a store passes that counts how often an instance was begun."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.stores.store import Store
from durable_import.testing.contract.store import begin, commit, register, saved


class AttemptsContract(ABC):
    """What such a store promises."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_lives_are_counted(self, tmp_path: Path) -> None:
        """Those that began since the last commit, without one that was only looked at; a commit begins the count anew."""
        store = self.open(tmp_path)
        owner = register(store)
        assert [(await begin(store, "a", owner)).lives for _ in range(3)] == [0, 0, 1]
        looking = await begin(store, "a", owner)
        await store.release(looking.claim, has_lived=False)
        begun = await begin(store, "a", owner)
        assert (looking.lives, begun.lives) == (2, 2)
        await commit(store, begun, saved(1))
        assert [(await begin(store, "a", owner)).lives for _ in range(2)] == [0, 1]
        last = await begin(store, "a", owner)
        assert last.lives == 2
        await store.end(last.claim, saved(1, "failed"), keeps=True)
        assert (await begin(store, "a", owner)).lives == 3
        await store.close()
