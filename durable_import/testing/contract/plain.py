"""What every store passes: load and save."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from durable_import.stores.base import FullStateStore, StateStore

STRANGE_IDS = (
    "plain", "", ".", "..", "../x", "/etc/passwd", "a/b\\c", "CON", "con", "\N{ROCKET}", "ü", "u\u0308", "x" * 5000,
    "nul\0nul", "line\nline", "lone\udc80", "%s?&#;'\"--", " ", "é" * 300,
)  # fmt: skip


def state(checkpoint: int = 1, **changes: Any) -> dict[str, Any]:
    """A state as the runtime saves it."""
    plain = {
        "status": "running",
        "checkpoint": checkpoint,
        "location": "app.py:7 main",
        "function": "app:main",
        "wake_at": None,
        "call": b"\xff\x00call",
        "snapshot": b"\x00\n\xff" + bytes([checkpoint % 256]),
        "outcome": b"",
    }
    return {**plain, **changes}


@contextmanager
def refused(kind: type[Exception], *words: str) -> Iterator[None]:
    """Fail unless the block raises ``kind`` with all ``words`` in its message."""
    message = None
    try:
        yield
    except kind as error:
        message = str(error)
    assert message is not None, f"{kind.__name__} was not raised"
    assert all(word in message for word in words), f"not all of {words} in: {message}"


class StateStoreContract(ABC):
    """What load and save promise."""

    survives: ClassVar[bool] = True

    @abstractmethod
    def open(self, folder: Path) -> StateStore:
        """A store over ``folder``."""

    async def test_unknown_instance_has_no_state(self, tmp_path: Path) -> None:
        """Loading what was never saved gives None."""
        store = self.open(tmp_path)
        assert await store.load("nobody") is None
        await close(store)

    async def test_load_gives_what_was_saved_last(self, tmp_path: Path) -> None:
        """The last save wins, and instances do not mix."""
        store = self.open(tmp_path)
        await store.save("a", state(1))
        await store.save("b", state(7))
        await store.save("a", state(2, status="waiting"))
        assert await store.load("a") == state(2, status="waiting")
        assert await store.load("b") == state(7)
        await close(store)

    async def test_any_instance_id_is_possible(self, tmp_path: Path) -> None:
        """Ids are plain text: empty, long, with slashes, control characters, lone surrogates or emoji."""
        (tmp_path / "inner").mkdir()
        store = self.open(tmp_path / "inner")
        for number, instance_id in enumerate(STRANGE_IDS):
            await store.save(instance_id, state(number))
        for number, instance_id in enumerate(STRANGE_IDS):
            assert await store.load(instance_id) == state(number), repr(instance_id)
        await close(store)
        assert {each.name for each in tmp_path.iterdir()} == {"inner"}

    async def test_snapshots_are_kept_byte_for_byte(self, tmp_path: Path) -> None:
        """Empty, binary and large snapshots come back unchanged."""
        store = self.open(tmp_path)
        for snapshot in (b"", b"\n", bytes(range(256)), b"x\0" * 1_500_000):
            await store.save("a", state(1, snapshot=snapshot, location="übung.py:1 lone\udc80"))
            assert await store.load("a") == state(1, snapshot=snapshot, location="übung.py:1 lone\udc80")
        await close(store)

    async def test_every_entry_comes_back(self, tmp_path: Path) -> None:
        """Times to the last bit, their absence, and each of the three kinds of bytes."""
        store = self.open(tmp_path)
        for wake_at in (None, 0.0, 1_764_115_200.123456, 1e300):
            saved = state(1, status="waiting", wake_at=wake_at, call=b"c\0", snapshot=b"", outcome=b"\n" * 1000)
            await store.save("a", saved)
            assert await store.load("a") == saved
        await close(store)

    async def test_kept_state_is_a_copy(self, tmp_path: Path) -> None:
        """Changing the dict that was saved or loaded changes nothing in the store."""
        store = self.open(tmp_path)
        mine = state(1)
        await store.save("a", mine)
        mine["checkpoint"] = 99
        loaded = await store.load("a")
        assert loaded is not None
        loaded["checkpoint"] = 99
        assert await store.load("a") == state(1)
        await close(store)

    async def test_concurrent_saves_do_not_mix(self, tmp_path: Path) -> None:
        """Saves of many instances at once all arrive."""
        store = self.open(tmp_path)
        await asyncio.gather(*(store.save(f"i{n}", state(n)) for n in range(50)))
        assert await asyncio.gather(*(store.load(f"i{n}") for n in range(50))) == [state(n) for n in range(50)]
        await close(store)

    def test_several_event_loops_one_after_another(self, tmp_path: Path) -> None:
        """A store is not bound to the loop that used it first."""
        store = self.open(tmp_path)
        asyncio.run(store.save("a", state(1)))
        assert asyncio.run(store.load("a")) == state(1)
        asyncio.run(store.save("a", state(2)))
        assert asyncio.run(store.load("a")) == state(2)
        asyncio.run(close(store))

    async def test_states_survive_reopening(self, tmp_path: Path) -> None:
        """A second store over the same place finds the state, unless the store is for one process only."""
        store = self.open(tmp_path)
        await store.save("a", state(3))
        await close(store)
        again = self.open(tmp_path)
        assert await again.load("a") == (state(3) if self.survives else None)
        await close(again)


async def close(store: StateStore) -> None:
    """Close what can be closed."""
    if isinstance(store, FullStateStore):
        await store.close()
