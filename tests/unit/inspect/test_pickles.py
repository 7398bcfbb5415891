"""Reading snapshots runs nothing, and bytes that are none give one clear error."""

from __future__ import annotations

import contextlib
import pickle
import random
import struct
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from durable_import import SnapshotFormatError
from durable_import.inspect.pickles import Reader
from durable_import.inspect.stack import stack_of
from durable_import.inspect.state import read_state
from durable_import.snapshot.payload import COMPLETE, IN_PIECES, IN_SEGMENTS, payload_of
from tests.unit.inspect.looking import described

CORPUS = Path(__file__).parents[2] / "versions" / "corpus"


class Writes:
    """Leaves a file behind wherever it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


class Tells:
    def __getstate__(self) -> dict[str, Any]:
        return {"told": 1}

    def __setstate__(self, state: dict[str, Any]) -> None:
        raise AssertionError("it was called")


class Made:
    def __new__(cls, *_: Any) -> Made:
        if Made.is_closed:
            raise AssertionError("it was called")
        return super().__new__(cls)

    is_closed = False

    def __getnewargs__(self) -> tuple[int]:
        return (1,)


def test_nothing_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what ``__reduce__`` names nor ``__setstate__`` nor ``__new__`` is called."""
    made = Made()
    monkeypatch.setattr(Made, "is_closed", True)
    found = described([Writes(str(tmp_path / "written")), Tells(), made])
    assert str(found) == f"[open({str(tmp_path / 'written')!r}, 'w'), Tells(told=1), Made(1)]"
    assert not list(tmp_path.iterdir())


def test_nothing_is_imported() -> None:
    """A name stays a name, whether there is such a module or not."""
    data = b"\x80\x05cdurable_nowhere\nThing\n)\x81}X\x01\x00\x00\x00aK\x01sb."
    made = Reader(data).load()
    assert str(made.function) == "durable_nowhere.Thing"
    before = set(sys.modules)
    Reader(b"\x80\x05cantigravity\nfly\n.").load()
    assert "antigravity" not in set(sys.modules) - before


VALUES = [None, True, 0, 255, 65535, -1, 2**31, -(2**80), 1.5, "", "x" * 300, "ä\ud800", b"", b"x" * 300, (), (1,), (1, 2, 3, 4)]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("value", [value for value in VALUES if type(value) is not bytes], ids=repr)
def test_plain_values(value: Any, protocol: int) -> None:
    """Values are what pickle reads, by all protocols that snapshots have ever had."""
    found = Reader(pickle.dumps(value, protocol)).load()
    assert (tuple(found.items) if isinstance(value, tuple) else found) == value


def samples(count: int) -> list[bytes]:
    """Snapshots of the corpus, some of each file."""
    found = []
    for path in sorted(CORPUS.glob("*.zip")):
        with zipfile.ZipFile(path) as file:
            names = [name for name in file.namelist() if not name.endswith((".py", ".json"))]
            found += [file.read(name) for name in names[:: len(names) // count]]
    return found


def look(payload: bytes) -> None:
    """All that looking does with a payload."""
    stack_of(read_state(payload), "damaged", {})


def test_torn_snapshots() -> None:
    """Wherever a snapshot ends too early, one error says that it is damaged."""
    for data in samples(2):
        for end in [3, 4, 10, *range(50, len(data), len(data) // 40)]:
            with pytest.raises(SnapshotFormatError, match="damaged"):
                look(data[:end])


def test_changed_snapshots() -> None:
    """Whatever bytes are changed, it is read as something else or is damaged, and nothing worse comes of it."""
    chance = random.Random(7)
    for data in samples(12):
        for _ in range(12):
            changed = bytearray(data)
            for _ in range(chance.choice((1, 2, 8))):
                changed[chance.randrange(3, len(changed))] = chance.randrange(256)
            with contextlib.suppress(SnapshotFormatError):
                look(bytes(changed))


HOSTILE = {
    "empty": b"",
    "nothing to stop with": b".",
    "a mark in the way": b"K\x01(.",
    "an end without a beginning": b"t.",
    "what is not in the memo": b"h\x05.",
    "an unknown instruction": b"\xff.",
    "an old instruction": b"I1\n.",
    "INST": b"(S'echo'\nios\nsystem\n.",
    "OBJ": b"(cos\nsystem\nX\x04\x00\x00\x00echoo.",
    "a buffer from outside": b"\x97.",
    "a huge string": b"\x8e" + b"\xff" * 8 + b".",
    "a huge bytearray": b"\x96" + b"\xff" * 8 + b".",
    "a huge frame": b"\x95" + b"\xff" * 8,
    "a long that is not there": b"\x8b\xff\xff\xff\x7f.",
    "a key without a value": b"}(K\x01u.",
    "items of a number": b"K\x01(K\x02e.",
    "a state of a number": b"K\x01K\x02b.",
    "a call without arguments": b"cos\nsystem\nK\x01R.",
    "a name that is none": b"K\x01K\x02\x93.",
    "a name that does not end": b"cos",
    "an object from outside": b"K\x01Q.",
    "bad text": b"\x8c\x01\xff.",
    "another protocol": b"\x80\x63.",
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_hostile_pickles(data: bytes) -> None:
    """What no pickler of ours writes is refused, and costs nothing."""
    with pytest.raises(SnapshotFormatError, match="damaged"):
        Reader(data).load()
    for kind in (COMPLETE, IN_PIECES, IN_SEGMENTS, b"?"):
        with pytest.raises(SnapshotFormatError, match="damaged"):
            read_state(payload_of(kind, data))


def test_deep_and_huge_values_are_only_read() -> None:
    """Depth costs no stack, a memo number no memory, a number of many digits no time."""
    depth = 200_000
    found = Reader(b"\x80\x05" + b"]" * depth + b"a" * (depth - 1) + b".").load()
    for _ in range(depth - 1):
        (found,) = found.items
    assert Reader(b"K\x01r" + struct.pack("<I", 2**31) + b".").load() == 1
    number = Reader(b"\x8b" + struct.pack("<i", 10**6) + b"\x01" * 10**6 + b".").load()
    assert number.bit_length() > 7_000_000


def test_deep_calls_are_cut() -> None:
    """A class that is made by what is made by ... has no name, and that is all."""
    depth = 100_000
    made = b"\x80\x05" + b"cos\nsystem\n" + b")R" * depth + b"."
    state = read_state(payload_of(COMPLETE, b"\x80\x05]." + _state_with(made[2:-1]) + b"\x80\x05N."))
    stack_of(state, "deep", {})


def _state_with(content: bytes) -> bytes:
    """The pickle of a state with one content, which these instructions make."""
    return b"\x80\x05(]}}X\x01\x00\x00\x00a(NN" + content + b"tsNN]t."
