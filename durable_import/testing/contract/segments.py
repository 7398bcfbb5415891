"""What stores pass that keep parts of snapshots: they belong to the state that they were committed with."""

from __future__ import annotations

import asyncio
from pathlib import Path

from durable_import.errors import FencedError
from durable_import.stores.base import Claim, OwningStore, SegmentStore
from durable_import.stores.owner import Owner
from durable_import.testing.contract.owning import OwningStoreContract
from durable_import.testing.contract.plain import STRANGE_IDS, refused, state


class SegmentStoreContract(OwningStoreContract):
    """What segments promise: they belong to the state that they were committed with."""

    async def test_unknown_instance_has_no_segments(self, tmp_path: Path) -> None:
        """Loading the segments of what was never saved, or was saved without, gives none."""
        store = self.open(tmp_path)
        await store.save("plain", state(1))
        assert await _segments(store, "nobody") == await _segments(store, "plain") == {}
        await store.close()

    async def test_segments_are_put_and_removed(self, tmp_path: Path) -> None:
        """A commit puts and removes the segments that it names and leaves the others; state and segments go together."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"k1": b"one", "k2": b"\x00\n\xff", "k3": b""}, is_whole=True)
        assert await _segments(store, "a") == {"k1": b"one", "k2": b"\x00\n\xff", "k3": b""}
        await _commit(store, claim, 2, {"k2": b"two", "k1": None, "never there": None, "k4": b"new"})
        assert await _segments(store, "a") == {"k2": b"two", "k3": b"", "k4": b"new"}
        await _commit(store, claim, 3, {})
        assert await _segments(store, "a") == {"k2": b"two", "k3": b"", "k4": b"new"}
        assert await store.load("a") == state(3)
        await store.close()

    async def test_whole_commits_leave_nothing_else(self, tmp_path: Path) -> None:
        """A whole commit removes what it does not name, and a plain one, or a save, removes all segments."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"old": b"1", "both": b"1"}, is_whole=True)
        await _commit(store, claim, 2, {"both": b"2", "gone": None}, is_whole=True)
        assert await _segments(store, "a") == {"both": b"2"}
        await store.commit(claim, state(3))
        assert await _segments(store, "a") == {}
        await _commit(store, claim, 4, {"again": b"4"})
        await store.release(claim)
        await store.save("a", state(5))
        assert await _segments(store, "a") == {}
        assert await store.load("a") == state(5)
        await store.close()

    async def test_segments_of_instances_do_not_mix(self, tmp_path: Path) -> None:
        """Segments under the same key belong to their instance, for every kind of id."""
        store = self.open(tmp_path)
        owner = Owner.current()
        for number, instance_id in enumerate(STRANGE_IDS):
            claim = await store.acquire(instance_id, owner)
            await _commit(store, claim, number, {"t0.1": bytes([number])}, is_whole=True)
        for number, instance_id in enumerate(STRANGE_IDS):
            assert await _segments(store, instance_id) == {"t0.1": bytes([number])}, repr(instance_id)
        await store.close()

    async def test_fenced_owner_changes_no_segment(self, tmp_path: Path) -> None:
        """A stalled owner's commit is refused as a whole: the state does not change, and no segment does."""
        store = self.open(tmp_path)
        stalled = await store.acquire("a", Owner.current(), lease_seconds=0.0)
        await _commit(store, stalled, 1, {"k1": b"old", "k2": b"old"}, is_whole=True)
        successor = await store.acquire("a", Owner.current())
        await _commit(store, successor, 2, {"k1": b"new"})
        for is_whole in (False, True):
            with refused(FencedError, "'a'"):
                await _commit(store, stalled, 9, {"k1": b"bad", "k2": None, "k3": b"bad"}, is_whole=is_whole)
        assert await _segments(store, "a") == {"k1": b"new", "k2": b"old"}
        assert await store.load("a") == state(2)
        await store.close()

    async def test_deleted_instance_has_no_segments(self, tmp_path: Path) -> None:
        """Delete removes the segments too, and the next life under the id does not find any."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        other = await store.acquire("b", Owner.current())
        await _commit(store, claim, 1, {"k1": b"1"}, is_whole=True)
        await _commit(store, other, 1, {"k1": b"b"}, is_whole=True)
        await store.delete("a")
        assert await _segments(store, "a") == {}
        with refused(FencedError):
            await _commit(store, claim, 2, {"k2": b"2"})
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"k3": b"3"})
        assert await _segments(store, "a") == {"k3": b"3"}
        assert await _segments(store, "b") == {"k1": b"b"}
        await store.close()

    async def test_segments_survive_reopening(self, tmp_path: Path) -> None:
        """A second store over the same place finds the segments, unless the store is for one process only."""
        store = self.open(tmp_path)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {f"t0.{n}": bytes(n) for n in range(500)}, is_whole=True)
        await store.close()
        again = self.open(tmp_path)
        found = await _segments(again, "a")
        assert found == ({f"t0.{n}": bytes(n) for n in range(500)} if self.survives else {})
        await again.close()

    async def test_concurrent_commits_keep_their_segments(self, tmp_path: Path) -> None:
        """Commits of many instances at once: each has its segments, and the fenced ones among them none."""
        store = self.open(tmp_path)
        owner = Owner.current()
        stale = [await store.acquire(f"i{n}", owner) for n in range(0, 30, 3)]
        claims = [await store.acquire(f"i{n}", owner) for n in range(30)]
        attempts = [*stale, *claims]
        answers = await asyncio.gather(
            *(_commit(store, each, n, {"k": bytes([n]), f"k{n}": b""}) for n, each in enumerate(attempts)),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [FencedError] * len(stale) + [type(None)] * len(claims)
        for number in range(30):
            place = number + len(stale)
            assert await _segments(store, f"i{number}") == {"k": bytes([place]), f"k{place}": b""}
        await store.close()

    async def test_what_is_not_a_state_changes_no_segment(self, tmp_path: Path) -> None:
        """A state with a wrong entry is refused, and its segments with it."""
        store = self.open(tmp_path)
        assert isinstance(store, SegmentStore)
        claim = await store.acquire("a", Owner.current())
        await _commit(store, claim, 1, {"k": b"1"}, is_whole=True)
        with refused(TypeError, "state"):
            await store.commit_segments(claim, state(2, extra=1), {"k": b"2"}, is_whole=True)
        assert await _segments(store, "a") == {"k": b"1"}
        await store.close()


def parts(store: OwningStore) -> SegmentStore:
    assert isinstance(store, SegmentStore)
    return store


async def _segments(store: OwningStore, instance_id: str) -> dict[str, bytes]:
    assert isinstance(store, SegmentStore)
    return await store.load_segments(instance_id)


async def _commit(
    store: OwningStore, claim: Claim, checkpoint: int, segments: dict[str, bytes | None], *, is_whole: bool = False
) -> None:
    assert isinstance(store, SegmentStore)
    await store.commit_segments(claim, state(checkpoint), segments, is_whole=is_whole)
