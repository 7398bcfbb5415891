"""Large snapshots in pieces: what is written, what comes back, and what is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from durable_import.errors import SnapshotAuthenticationError
from durable_import.snapshot.incremental.format_policy import FormatPolicy
from durable_import.snapshot.incremental.pieces import LEAST, Pieces, join_pieces
from tests.harness.places import FOREIGN, Place, place_of
from tests.harness.torture import hard_torture, native

__all__ = ["place_of"]  # the fixture

HOLD = (
    FOREIGN
    + """
import hashlib

async def main():
    data = DATA
    total = 0
    for number in range(8):
        await effect(f"e{number}")
        total += number
        CHANGE
    return total, len(data), hashlib.md5(repr(data).encode()).hexdigest()
"""
)
LARGE = {
    "bytes": "bytes(range(256)) * 4000",
    "text": "'text ' * 200_000",
    "text that is no ASCII": "'täxt€ ' * 200_000",
    "bytearray": "bytearray(1_000_000)",
    "list": "[{'number': n, 'name': f'name {n}'} for n in range(40_000)]",
    "bytes that look like nan": "b'G\\x7f\\xf8' * 300_000",
    "nested": "{'first': b'1' * 300_000, 'second': ['2' * 300_000, b'1' * 300_000]}",
    "deep": "deep(40_000)",
}
SETUP = """
def deep(levels):
    found = [b"x" * 100_000]
    for _ in range(levels):
        found = [found]
    return found
"""


def program(data: str, change: str = "pass") -> str:
    """A program that holds large data."""
    return (HOLD + SETUP).replace("DATA", LARGE[data]).replace("CHANGE", change)


def written(commits: list[Any]) -> list[int]:
    """Bytes of the pieces of each commit."""
    return [sum(len(data) for data in pieces.values() if data is not None) if pieces is not None else 0 for pieces in commits]


@pytest.mark.parametrize("data", [d for d in LARGE if d != "deep"])
async def test_large_data_are_written_once(place_of: Callable[..., Place], data: str) -> None:
    """What does not change is written at the first checkpoint only; nothing is left when the program has ended."""
    place = place_of(program(data), forms="")
    (total, length, _), store = await place.run()
    sizes = written(store.commits)
    assert (total, bool(length)) == (28, True)
    assert sum(size > 250_000 for size in sizes) == 1, sizes
    assert sum(sizes) < 1.1 * max(sizes)
    assert place.segments() == {}


@pytest.mark.parametrize("change", ["data[number] = 1", "data.append(number)", "data = data + data[:1]"])
async def test_changes_are_written(place_of: Callable[..., Place], change: str) -> None:
    """Of mutable data the parts that have changed are written again, and come back."""
    place = place_of(program("bytearray", change), forms="")
    expected = await asyncio.to_thread(native, place.source)
    for crash_at in (3, 3, 3, 3, None):
        result, store = await place.run(crash_at)
        if result is not None:
            break
        assert max(written(store.commits)[-1:]) > 900_000
    assert repr(result) == expected
    assert place.segments() == {}


@pytest.mark.parametrize(("data", "forms"), [(d, f) for d in LARGE for f in ("w", "sw") if (d, f) != ("deep", "sw")])
def test_large_data_come_back(data: str, forms: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is large is the same after each save and restore, in pieces and in segments."""
    monkeypatch.setenv("EFFECT_LOG", str(tmp_path / "effects"))
    source = program(data).replace("repr(data)", "str(len(data))") if data == "deep" else program(data)
    assert hard_torture(source, forms=forms, every=9 if data == "deep" else 2) == native(source)


async def test_from_large_to_small_and_back(place_of: Callable[..., Place]) -> None:
    """When the data go, so do the pieces; after a crash anywhere the program goes on with what was committed."""
    change = "data = b'x' * 1_000_000 if number % 4 < 2 else b'small'"
    for crash_at in range(1, 9):
        place = place_of(program("bytes", change), forms="")
        result, _ = await place.run(crash_at)
        assert result is None
        result, _ = await place.run()
        assert repr(result) == await asyncio.to_thread(native, place.source)
        assert place.segments() == {}
        place.forget()


@pytest.mark.parametrize("change", ["UPDATE durable_segment SET data = zeroblob(length(data))", "DELETE FROM durable_segment"])
async def test_tampered_pieces_are_refused(place_of: Callable[..., Place], change: str) -> None:
    """A piece that is not what was committed is refused, and stays where it is."""
    place = place_of(program("bytes"), forms="")
    await place.run(crash_at=4)
    place.query(change)
    kept = place.segments()
    with pytest.raises(SnapshotAuthenticationError, match="stay where they are"):
        await place.run()
    assert place.segments() == kept


def test_bytes_are_not_copied() -> None:
    """The piece of a bytes object is that object; what a store was told of once is not told again."""
    data, pieces = bytes(LEAST), Pieces()
    kernel = pieces.split([b"before", data, b"after"])
    [(key, piece)] = pieces.changed.items()
    assert piece is data
    assert join_pieces(kernel, {key: data}) == b"before" + data + b"after"
    pieces.changed.clear()
    pieces.split([b"before that", bytes(LEAST)])
    assert pieces.changed == {}
    pieces.split([b"other"])
    assert pieces.changed == {key: None}


MANY_TASKS_BESIDE = (
    FOREIGN
    + """
async def wait(event):
    await event.wait()

async def main():
    data, event = b"x" * 1_000_000, asyncio.Event()
    waiting = [asyncio.create_task(wait(event)) for _ in range(MANY)]
    for number in range(40):
        await effect(f"e{number}")
    event.set()
    await asyncio.gather(*waiting)
    return len(data)
"""
)


async def test_economy_counts_what_is_pickled(place_of: Callable[..., Place], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a whole snapshot in pieces costs is all that is pickled for it, not the little that is written."""
    sizes: list[int] = []
    was_whole = FormatPolicy.was_whole

    def noted(format_policy: FormatPolicy, size: int, changed: float) -> None:
        sizes.append(size)
        was_whole(format_policy, size, changed)

    monkeypatch.setattr(FormatPolicy, "was_whole", noted)
    place = place_of(MANY_TASKS_BESIDE, forms="")
    assert (await place.run())[0] == 1_000_000
    assert len(sizes) > 3
    assert min(sizes) > 1_000_000
