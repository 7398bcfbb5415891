"""What a store passes that keeps the states before the last one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from durable_import.stores.state import InstanceState
from durable_import.stores.store import Begun, Segments, Store
from durable_import.testing.contract.store import CALL, PENDING, commit, register, saved


class HistoryContract(ABC):
    """What such a store promises; with ``FullStoreContract``, for a store that was asked to keep them."""

    @abstractmethod
    def open(self, folder: Path) -> Store:
        """A store over ``folder``."""

    async def test_past_states(self, tmp_path: Path) -> None:
        """The last state of each checkpoint number, the present one last, to the end; a deleted instance leaves none."""
        store = self.open(tmp_path)
        begun = await store.begin("a", register(store), 1, PENDING, CALL)
        states = [saved(1), saved(2, "waiting", 5.0), saved(3)]
        for state in (*states[:2], saved(2), *states[1:]):
            await commit(store, begun, state)
        assert await history_of(store) == [PENDING, *states]
        end = InstanceState("completed", 4, "", PENDING.function, None, b"", b"result")
        await store.end(begun.claim, end, keeps=False)
        assert await history_of(store) == [PENDING, *states, end]
        await store.delete("a")
        assert await history_of(store) == []
        await store.begin("a", register(store), 2, PENDING, CALL)
        assert await history_of(store) == [PENDING]
        await store.close()

    async def test_going_back(self, tmp_path: Path) -> None:
        """What came after a checkpoint is no history of an instance that has gone back there."""
        store = self.open(tmp_path)
        begun = await store.begin("a", register(store), 1, PENDING, CALL)
        for number in (1, 2, 3, 4, 2, 3):
            await commit(store, begun, saved(number))
        assert [state.checkpoint for state in await history_of(store)] == [0, 1, 2, 3]
        await store.close()

    async def test_past_segments(self, tmp_path: Path) -> None:
        """Each state has those that it had, whatever has changed since, also when the instance goes back, or has ended."""
        store = self.open(tmp_path)
        if not store.keeps_segments:
            return
        begun = await store.begin("a", register(store), 1, PENDING, CALL)
        await put(store, begun, 1, {"x": b"1", "y": b"1"}, is_whole=True)
        await put(store, begun, 2, {"x": b"2"})
        await put(store, begun, 3, {"y": None, "z": b"3"})
        await put(store, begun, 3, {"z": b"4"})
        await put(store, begun, 4, {}, is_whole=True)
        await put(store, begun, 5, {"x": b"5"}, is_whole=True)
        first, second = {"x": b"1", "y": b"1"}, {"x": b"2", "y": b"1"}
        assert await segments_of(store, 1, 2, 3, 4, 5) == [first, second, {"x": b"2", "z": b"4"}, {}, {"x": b"5"}]
        await put(store, begun, 2, second, is_whole=True)
        assert await segments_of(store, 1, 2) == [first, second]
        await put(store, begun, 3, {"x": b"6", "w": b"6"})
        assert await segments_of(store, 1, 2, 3) == [first, second, {"x": b"6", "y": b"1", "w": b"6"}]
        await store.end(begun.claim, InstanceState("cancelled", 4, "", "f", None, b"", b"end"), keeps=False)
        assert await segments_of(store, 1, 2, 3) == [first, second, {"x": b"6", "y": b"1", "w": b"6"}]
        await store.close()


async def put(store: Store, begun: Begun, checkpoint: int, segments: Segments, *, is_whole: bool = False) -> None:
    """Commit a state with segments."""
    committing = store.commit(begun.claim, saved(checkpoint), segments, is_whole)
    if committing is not None:
        await committing


async def history_of(store: Store) -> list[InstanceState]:
    """What there is of the instance "a"."""
    assert store.history is not None
    return await store.history.load_history("a")


async def segments_of(store: Store, *checkpoints: int) -> list[dict[str, bytes]]:
    """Those of the instance "a" at some checkpoints."""
    assert store.history is not None
    return [await store.history.load_past_segments("a", checkpoint) for checkpoint in checkpoints]
