"""What stores pass that commit without giving way to the event loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from durable_import.errors import FencedError
from durable_import.stores.base import Claim, OwningStore, QuickStore, quick_store
from durable_import.stores.owner import Owner
from durable_import.testing.contract.owning import OwningStoreContract
from durable_import.testing.contract.plain import refused, state
from durable_import.testing.contract.segments import parts

ENOUGH = 50  # commits in a row, after which a store knows that they are quick


def quick(store: OwningStore) -> QuickStore:
    """The store as the optional protocol."""
    found = quick_store(store)
    assert found is not None
    return found


async def commit(store: OwningStore, claim: Claim, number: int) -> None:
    """Commit, at once if the store does that."""
    if not quick(store).commit_at_once(claim, state(number)):
        await store.commit(claim, state(number))


class QuickStoreContract(OwningStoreContract):
    """What is committed at once is committed as always, by those who may."""

    async def test_commits_at_once_are_kept(self, tmp_path: Path) -> None:
        """Each of many commits is what is loaded then, no matter how it was made; also of two instances in turn."""
        store = self.open(tmp_path)
        claims = [await store.acquire(name, Owner.current()) for name in ("a", "\udc80")]
        for number in range(ENOUGH):
            for claim in claims if number > ENOUGH / 2 else claims[:1]:
                await commit(store, claim, number)
                assert await store.load(claim.instance_id) == state(number)
        await store.close()

    async def test_any_change_of_the_state_is_kept_at_once(self, tmp_path: Path) -> None:
        """Any entry of the state may have changed."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        for number in range(ENOUGH):
            await commit(store, claim, number)
        kept = state(ENOUGH)
        for changes in (
            {"location": "b.py:1 \udc80"},
            {"status": "waiting"},
            {"wake_at": 4e9},
            {"function": "g"},
            {"call": b""},
            {"outcome": b"o"},
            {"snapshot": b"x" * 1_000_000},
            {"status": "completed"},
        ):
            kept |= changes
            if not quick(store).commit_at_once(claim, kept):
                await store.commit(claim, kept)
            assert await store.load("a") == kept, changes
        await store.close()

    async def test_a_commit_at_once_is_of_the_owner(self, tmp_path: Path) -> None:
        """It is refused, or left to ``commit``, when the claim is not current; nothing changes."""
        store = self.open(tmp_path)
        stale = await store.acquire("a", Owner.current())
        for number in range(ENOUGH):
            await commit(store, stale, number)
        await store.release(stale)
        claim = await store.acquire("a", Owner.current())
        await commit(store, claim, 1000)
        for _ in range(3):
            with refused(FencedError, "'a'", str(stale.epoch)):
                await commit(store, stale, 5)
        assert await store.load("a") == state(1000)
        await store.close()

    async def test_segments_at_once(self, tmp_path: Path) -> None:
        """Segments are put and removed as ``commit_segments`` does, and a commit without them removes all."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        expected: dict[str, bytes] = {}
        for number in range(ENOUGH):
            changes: dict[str, bytes | None] = {f"k{number}": b"%d" % number, f"k{number - 2}": None}
            is_whole = number % 10 == 0
            if not quick(store).commit_at_once(claim, state(number), changes, is_whole):
                await parts(store).commit_segments(claim, state(number), changes, is_whole=is_whole)
            expected = {} if is_whole else expected
            expected = {k: v for k, v in (expected | changes).items() if v is not None}
            assert await parts(store).load_segments("a") == expected
        await commit(store, claim, ENOUGH)
        assert await parts(store).load_segments("a") == {}
        await store.close()

    async def test_what_is_no_state_is_refused_at_once(self, tmp_path: Path) -> None:
        """A key that no store keeps is a TypeError, in both ways."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        wrong: dict[str, Any] = {**state(1), "more": 1}
        for _ in range(ENOUGH):
            with refused(TypeError, "more"):
                if not quick(store).commit_at_once(claim, wrong):
                    await store.commit(claim, wrong)
        await store.close()
