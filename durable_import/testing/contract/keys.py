"""What a store passes that keeps which calls were given keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.errors import FencedError
from durable_import.stores.state import Failure
from durable_import.stores.store import Store
from durable_import.testing.contract.plain import refused
from durable_import.testing.contract.store import begin, commit, register, saved

FIRST, OTHER = b"\x00first", b"other\xff"


class KeysContract(ABC):
    """What such a store promises."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_the_first_call_of_a_key_stays(self, tmp_path: Path) -> None:
        """In later lives too, whatever instance ends or is deleted beside it."""
        store = self.open(tmp_path)
        owner = register(store)
        for name in ("a", "b", "ended"):
            begun = await begin(store, name, owner)
            await commit(store, begun, saved(1))
            assert await store.keep_key(begun.claim, "k'1\N{SNOWMAN}", FIRST) == FIRST
            assert await store.keep_key(begun.claim, "k2", OTHER) == OTHER
        await store.end(begun.claim, saved(2, "completed"), keeps=False)
        await store.delete("b")
        for _ in range(2):
            begun = await begin(store, "a", owner)
            assert await store.keep_key(begun.claim, "k'1\N{SNOWMAN}", OTHER) == FIRST
            assert await store.keep_key(begun.claim, "k2", OTHER) == OTHER
        for name in ("b", "ended"):
            begun = await begin(store, name, owner)
            assert await store.keep_key(begun.claim, "k2", FIRST) == FIRST
        await store.close()

    async def test_a_commit_forgets_keys_of_its_life(self, tmp_path: Path) -> None:
        """Those of earlier lives stay until they come up again, or until the end."""
        store = self.open(tmp_path)
        owner = register(store)
        begun = await begin(store, "a", owner)
        await store.keep_key(begun.claim, "before", FIRST)
        begun = await begin(store, "a", owner)
        await store.keep_key(begun.claim, "k", FIRST)
        await commit(store, begun, saved(1))
        assert await store.keep_key(begun.claim, "k", OTHER) == OTHER
        assert await store.keep_key(begun.claim, "before", OTHER) == FIRST
        await commit(store, begun, saved(2))
        assert await store.keep_key(begun.claim, "before", OTHER) == OTHER
        await store.end(begun.claim, saved(2, "failed"), keeps=True)
        begun = await begin(store, "a", owner)
        assert await store.keep_key(begun.claim, "before", FIRST) == OTHER
        await store.end(begun.claim, saved(3, "completed"), keeps=False)
        begun = await begin(store, "a", owner)
        assert await store.keep_key(begun.claim, "before", FIRST) == FIRST
        await store.close()

    async def test_who_retries_lets_the_other_call_have_the_key(self, tmp_path: Path) -> None:
        """Only keys are forgotten that came up with another call."""
        store = self.open(tmp_path)
        owner = register(store)
        begun = await begin(store, "a", owner)
        await commit(store, begun, saved(1))
        for key in ("same", "other"):
            await store.keep_key(begun.claim, key, FIRST)
        assert await store.keep_key(begun.claim, "other", OTHER) == FIRST
        await store.release(begun.claim, failure=Failure("another call", 1, True))
        assert await store.retry("a")
        begun = await begin(store, "a", owner)
        assert await store.keep_key(begun.claim, "other", OTHER) == OTHER
        assert await store.keep_key(begun.claim, "same", OTHER) == FIRST
        await store.close()

    async def test_only_the_owner_keeps_keys(self, tmp_path: Path) -> None:
        """A claim that is not current is refused, and changes nothing."""
        store = self.open(tmp_path)
        owner = register(store)
        old = await begin(store, "a", owner)
        new = await begin(store, "a", owner)
        with refused(FencedError, "'a'"):
            await store.keep_key(old.claim, "k", OTHER)
        assert await store.keep_key(new.claim, "k", FIRST) == FIRST
        await store.release(new.claim)
        with refused(FencedError, "'a'"):
            await store.keep_key(new.claim, "k", FIRST)
        await store.close()
