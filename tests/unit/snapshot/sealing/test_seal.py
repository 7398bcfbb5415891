"""Sealed snapshots open only as they were made; keys are made once and kept from others."""

from __future__ import annotations

import base64
import errno
import os
import pickle
import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from durable_import.errors import (
    MissingKeyError,
    SnapshotAuthenticationError,
    SnapshotError,
    SnapshotFormatError,
    StoreUnavailableError,
)
from durable_import.snapshot.payload import IN_SEGMENTS, Saved
from durable_import.snapshot.sealing import seal as seal_module
from durable_import.snapshot.sealing.seal import Seal, key_from_environment, load_or_create_key
from durable_import.snapshot.sealing.segment_seal import SegmentSeal

KEY = bytes(range(32))
HEADER = 74
STAYS = "the bytes stay where they are"


@pytest.fixture
def seal() -> Seal:
    return Seal(KEY)


@pytest.mark.parametrize("payload", [b"", b"x", bytes(range(256)) * 40])
@pytest.mark.parametrize("instance_id", ["", "order-42", "../x", "\N{ROCKET}", "lone\udc80", "i" * 5000])
def test_opens_what_was_sealed(seal: Seal, instance_id: str, payload: bytes) -> None:
    """Any payload comes back for the instance it was sealed for."""
    assert seal.open(instance_id, seal.seal(instance_id, payload)) == payload


def test_layout_is_part_of_the_format(seal: Seal) -> None:
    """The header of version 1 never changes: other Python versions and later releases read it."""
    blob = seal.seal("a", b"payload")
    assert blob[:10] == b"\x89DURIMP\n\x00\x01"
    assert struct.unpack(">Q", blob[34:42]) == (7,)
    assert blob[42:74].hex() == "6d406724fa267ac4fe384438f9dd1fd81a67bc46eb76b0f93a2490e597b70cea"
    assert blob[74:] == b"payload"


def test_thousands_of_mutations_are_refused(seal: Seal) -> None:
    """No bit flip, cut, insertion, splice or shuffle of a sealed snapshot is ever opened."""
    dice = random.Random(20240)
    blobs = [seal.seal("a", dice.randbytes(dice.randrange(200))) for _ in range(20)]
    refused = 0
    for _ in range(8000):
        blob = dice.choice(blobs)
        mutated = _mutate(dice, blob, dice.choice(blobs))
        if mutated in blobs:
            continue
        with pytest.raises((SnapshotAuthenticationError, SnapshotFormatError), match=STAYS) as caught:
            seal.open("a", mutated)
        assert isinstance(caught.value, SnapshotAuthenticationError) or mutated[8:10] != blob[8:10]
        refused += 1
    assert refused > 7000


def _mutate(dice: random.Random, blob: bytes, other: bytes) -> bytes:
    place = dice.randrange(len(blob))
    changed = bytearray(blob)
    match dice.randrange(7):
        case 0:
            changed[place] ^= 1 << dice.randrange(8)
        case 1:
            return blob[:place]
        case 2:
            return blob[place:]
        case 3:
            changed[place:place] = dice.randbytes(dice.randrange(1, 20))
        case 4:
            changed[:HEADER] = other[:HEADER]
        case 5:
            end = min(len(blob), place + dice.randrange(1, 40))
            changed[place:end] = bytes(end - place)
        case _:
            return blob[:place] + other[place:]
    return bytes(changed)


def test_each_byte_counts(seal: Seal) -> None:
    """Changing any single byte, or cutting at any place, is noticed."""
    blob = seal.seal("a", b"some payload")
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 0xFF
        with pytest.raises(SnapshotError):
            seal.open("a", bytes(changed))
        with pytest.raises(SnapshotAuthenticationError):
            seal.open("a", blob[:place])


def _with_version(blob: bytes, version: int) -> bytes:
    return blob[:8] + struct.pack(">H", version) + blob[10:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda _: b"", "torn: it is empty"),
        (lambda blob: blob[:5], "torn: only 5 bytes"),
        (lambda blob: blob[:60], "torn: only 60 bytes"),
        (lambda blob: blob[:-3], "truncated: 4 of 7 bytes"),
        (lambda blob: blob[:-1] + b"!", "tampered with"),
        (lambda blob: blob + b"!", "tampered with"),
        (lambda _: b"\x80\x05K\x01.", "foreign: these are not the bytes of a snapshot"),
        (lambda _: "text", "foreign: the store gave a str"),
        (lambda _: None, "foreign: the store gave a NoneType"),
        (lambda _: Seal(b"k" * 32).seal("a", b"payload"), "foreign: it was sealed with another key"),
        (lambda _: Seal(KEY).seal("b", b"payload"), "swapped: it belongs to another instance"),
    ],
)
def test_refusal_says_what_it_looks_like(seal: Seal, change: Any, words: str) -> None:
    """Torn, truncated, tampered, swapped and foreign bytes are told apart, and the way out is named."""
    with pytest.raises(SnapshotAuthenticationError, match=STAYS) as caught:
        seal.open("a", change(seal.seal("a", b"payload")))
    assert words in str(caught.value)
    assert "'a'" in str(caught.value)
    assert "afresh" in str(caught.value)


@pytest.mark.parametrize("version", [0, 2, 65535])
def test_unknown_version_names_both(seal: Seal, version: int) -> None:
    """A snapshot of another format version is refused as such, with both versions."""
    with pytest.raises(SnapshotFormatError, match=rf"version {version}, .* version 1\b"):
        seal.open("a", _with_version(seal.seal("a", b"payload"), version))


def test_version_is_authenticated(seal: Seal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of one version cannot be passed off as another version's."""
    blob = seal.seal("a", b"payload")
    monkeypatch.setattr(seal_module, "FORMAT_VERSION", 2)
    with pytest.raises(SnapshotAuthenticationError):
        seal.open("a", _with_version(blob, 2))


def test_nothing_is_unpickled(seal: Seal) -> None:
    """A pickle in place of a snapshot is not executed."""
    ran: list[int] = []

    class Bomb:
        def __reduce__(self) -> Any:
            return ran.append, (1,)

    for blob in (b"cbuiltins\nexec\n(S'raise SystemExit'\ntR.", seal.seal("a", b"x")[:HEADER] + b"cos\nabort\n)R."):
        with pytest.raises(SnapshotAuthenticationError):
            seal.open("a", blob)
    assert ran == []


def test_seal_is_never_pickled(seal: Seal) -> None:
    """The key does not get into a snapshot with the object that holds it."""
    with pytest.raises(TypeError, match="never saved"):
        pickle.dumps(seal)


def test_short_key_is_refused() -> None:
    """Fewer than 32 bytes are no key."""
    with pytest.raises(MissingKeyError, match="31 bytes"):
        Seal(b"k" * 31)


def test_key_file_is_made_once(tmp_path: Path) -> None:
    """The file holds hex of 32 random bytes, is readable by its owner only, and leaves no draft behind."""
    file = tmp_path / "deep" / "state.db.key"
    key = load_or_create_key(file)
    assert len(key) == 32
    assert bytes.fromhex(file.read_text()) == key
    assert file.stat().st_mode & 0o777 == 0o600
    assert load_or_create_key(str(file)) == key
    assert load_or_create_key(tmp_path / "other.key") != key
    assert [each.name for each in file.parent.iterdir()] == [file.name]


def test_processes_that_race_get_one_key(tmp_path: Path) -> None:
    """Of several processes that make the key at once one wins, and all of them use its key."""
    code = (
        "import sys; from durable_import.snapshot.sealing.seal import load_or_create_key\n"
        "print('ready', flush=True)\n"
        "for line in sys.stdin: print(load_or_create_key(line.strip()).hex(), flush=True)"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for number in range(30):
        for racer in racers:
            assert racer.stdin is not None
            racer.stdin.write(f"{tmp_path}/{number}.key\n")
            racer.stdin.flush()
    answers = [racer.communicate()[0].split() for racer in racers]
    assert answers[0] == answers[1] == answers[2] == answers[3]
    assert len(set(answers[0])) == 30
    assert len(list(tmp_path.iterdir())) == 30


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o602, 0o660])
def test_key_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that others may read or write is no secret; the error says how to close it."""
    file = tmp_path / "x.key"
    load_or_create_key(file)
    file.chmod(mode)
    with pytest.raises(MissingKeyError, match=rf"{mode:04o}.*chmod 600 .*x\.key"):
        load_or_create_key(file)


@pytest.mark.parametrize("text", ["", "abc", "z!" * 32, "ab" * 16, "\xff\xfe"])
def test_key_file_without_a_key_is_left_alone(tmp_path: Path, text: str) -> None:
    """A damaged key file is an error, never replaced by a new key."""
    file = tmp_path / "x.key"
    file.write_text(text, encoding="latin-1")
    file.chmod(0o600)
    with pytest.raises(MissingKeyError, match="Put the original back"):
        load_or_create_key(file)
    assert file.read_text(encoding="latin-1") == text


def test_key_file_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder that cannot be used is a clear error of the store."""
    (tmp_path / "file").write_text("")
    with pytest.raises((StoreUnavailableError, MissingKeyError), match=r"key file .*Not a directory\. Choose a store"):
        load_or_create_key(tmp_path / "file" / "x.key")


def test_full_disk_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that cannot be made for want of space says so, and leaves no half of a file."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailableError, match=r"No space left on device\. Free some space"):
        load_or_create_key(tmp_path / "x.key")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        KEY.hex(),
        KEY.hex().upper(),
        f" {KEY.hex()}\n",
        base64.b64encode(KEY).decode(),
        base64.b64encode(KEY).decode().rstrip("="),
        base64.urlsafe_b64encode(b"\xff\xfe" * 16).decode(),
    ],
)
def test_key_from_environment(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Hex and base64, standard or for URLs, are understood."""
    monkeypatch.setenv("DURABLE_KEY", text)
    assert key_from_environment() in (KEY, b"\xff\xfe" * 16)


@pytest.mark.parametrize("text", [None, "", "  ", "short", "ab" * 31, "not a key at all!" * 4, "ü" * 64])
def test_missing_or_bad_key_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch, text: str | None) -> None:
    """Without a usable DURABLE_KEY the error gives the command that makes one, and does not repeat the value."""
    monkeypatch.delenv("DURABLE_KEY", raising=False)
    if text is not None:
        monkeypatch.setenv("DURABLE_KEY", text)
    with pytest.raises(MissingKeyError) as caught:
        key_from_environment()
    assert 'python -c "import secrets; print(secrets.token_hex(32))"' in str(caught.value)
    assert not text or not text.strip() or text not in str(caught.value)


def test_recipe_in_the_error_makes_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command that the error gives works as written."""
    recipe = seal_module.KEY_RECIPE.removeprefix('python -c "').removesuffix('"')
    made = subprocess.run([sys.executable, "-c", recipe], capture_output=True, text=True, check=True).stdout
    monkeypatch.setitem(os.environ, "DURABLE_KEY", made)
    assert len(key_from_environment()) == 32


# --- snapshots in segments

PAYLOAD = b"\x00\x02" + IN_SEGMENTS + b"kernel"


def _saved(segments: dict[str, bytes | None], *, is_whole: bool = False) -> Saved:
    return Saved(PAYLOAD, segments, is_whole)


@pytest.fixture
def sealed(seal: Seal) -> tuple[bytes, dict[str, bytes]]:
    """The last of three snapshots in segments of instance 'a', and its segments."""
    mine = SegmentSeal(seal, "a")
    mine.seal(_saved({"t0": b"root", "t0.1": b"one", "t0.2": b"two", "o1": b"shared"}, is_whole=True))
    mine.seal(_saved({"t0.1": b"one, later", "t0.3": b"three"}))
    blob = mine.seal(_saved({"t0.2": None, "t0.1": b"one, at last", "never there": None}))
    return blob, {"t0": b"root", "t0.1": b"one, at last", "t0.3": b"three", "o1": b"shared"}


def test_segments_open_as_they_were_sealed(seal: Seal, sealed: tuple[bytes, dict[str, bytes]]) -> None:
    """Changed and removed segments count as the last snapshot has them, in any order, also for another process."""
    blob, segments = sealed
    backwards = dict(reversed(segments.items()))
    assert SegmentSeal(seal, "a").open(blob, segments) == SegmentSeal(seal, "a").open(blob, backwards) == PAYLOAD
    assert SegmentSeal(seal, "a").is_in_segments(blob)


def test_whole_snapshot_forgets_the_segments_before(seal: Seal) -> None:
    """After a whole one nothing of the earlier ones counts; neither after a reopening, which begins with a whole one."""
    mine = SegmentSeal(seal, "a")
    mine.seal(_saved({"t0": b"old", "t0.1": b"old"}, is_whole=True))
    blob = mine.seal(_saved({"t0": b"new", "gone": None}, is_whole=True))
    assert SegmentSeal(seal, "a").open(blob, {"t0": b"new"}) == PAYLOAD


def test_complete_snapshot_needs_no_segments(seal: Seal) -> None:
    """A payload that is complete by itself opens whatever segments lie about."""
    blob = SegmentSeal(seal, "a").seal(Saved(b"\x00\x02cpayload"))
    assert not SegmentSeal(seal, "a").is_in_segments(blob)
    assert SegmentSeal(seal, "a").open(blob, {"t0": b"left over"}) == b"\x00\x02cpayload"


@pytest.mark.parametrize(
    "change",
    [
        lambda s: {**s, "t0.1": b"One, at last"},
        lambda s: {**s, "t0.1": s["t0.1"] + b"!"},
        lambda s: {**s, "t0.1": b""},
        lambda s: {**s, "t0": s["t0.1"], "t0.1": s["t0"]},
        lambda s: {**s, "t0": s["t0.1"]},
        lambda s: {key: data for key, data in s.items() if key != "t0.3"},
        lambda s: {**s, "t0.4": b"one more"},
        lambda s: {**s, "t0.2": b"two"},
        lambda s: {**s, "": b""},
        lambda s: {**s, "t0.1": b"one, later"},
        lambda s: {**s, "t0.1": b"one"},
        lambda s: {**{key: data for key, data in s.items() if key != "t0.3"}, "t0.2": b"two"},
        lambda _: {"t0": b"root", "t0.1": b"one", "t0.2": b"two", "o1": b"shared"},
        lambda s: {("t1" if key == "t0" else key): data for key, data in s.items()},
        lambda s: {("t0.1o" if key == "t0.1" else key): data[key == "t0.1" :] for key, data in s.items()},
        lambda s: {**s, "t0.1": "one, at last"},
        lambda s: {(b"t0" if key == "t0" else key): data for key, data in s.items()},
        lambda _: {},
    ],
    ids=[
        "changed",
        "longer",
        "emptied",
        "swapped",
        "doubled",
        "left out",
        "added",
        "removed one is back",
        "empty one added",
        "of the checkpoint before",
        "of the first checkpoint",
        "one for another",
        "all of an older checkpoint",
        "renamed",
        "moved boundary",
        "text",
        "key of bytes",
        "none",
    ],
)
def test_other_segments_are_refused(seal: Seal, sealed: tuple[bytes, dict[str, bytes]], change: Any) -> None:
    """Whatever is done to the segments of a snapshot, it is refused, and the error says how many there should be."""
    blob, segments = sealed
    changed = change(segments)
    with pytest.raises(SnapshotAuthenticationError, match=STAYS) as caught:
        SegmentSeal(seal, "a").open(blob, changed)
    assert f"4 segments belong to it, {len(changed)} are there" in str(caught.value)


def test_segment_of_another_instance_is_refused(seal: Seal, sealed: tuple[bytes, dict[str, bytes]]) -> None:
    """The same bytes under the same key, sealed for another instance, are not this one's; nor is the snapshot."""
    blob, segments = sealed
    other = SegmentSeal(seal, "b").seal(_saved(dict(segments), is_whole=True))
    assert SegmentSeal(seal, "b").open(other, segments) == PAYLOAD
    for instance_id, each in (("a", other), ("b", blob)):
        with pytest.raises(SnapshotAuthenticationError, match="swapped"):
            SegmentSeal(seal, instance_id).open(each, segments)
    assert seal.tag("a", "t0", b"root") != seal.tag("b", "t0", b"root")


def test_segments_of_another_key_are_refused(seal: Seal, sealed: tuple[bytes, dict[str, bytes]]) -> None:
    """Without the key no tag can be made: another key gives other tags and another mask."""
    blob, segments = sealed
    other = Seal(b"k" * 32)
    with pytest.raises(SnapshotAuthenticationError, match="another key"):
        SegmentSeal(other, "a").open(blob, segments)
    assert seal.tag("a", "t0", b"root") != other.tag("a", "t0", b"root")
    assert seal.mask(b"n") != other.mask(b"n")


def test_sums_tell_nothing_of_tags(seal: Seal) -> None:
    """The same segments sealed twice have sums that differ: who sees sums cannot work out what a segment adds to them."""
    mine = SegmentSeal(seal, "a")
    first = mine.seal(_saved({"t0": b"root"}, is_whole=True))
    second = mine.seal(_saved({}))
    assert len(first) == len(second)
    assert first[-40:-8] != second[-40:-8]
    tag = seal.tag("a", "t0", b"root").to_bytes(32, "big")
    assert tag not in first + second


def test_thousands_of_mutations_of_segments_are_refused(seal: Seal) -> None:
    """No mix of segments of the checkpoints of an instance opens any snapshot but the one that it belongs to."""
    dice = random.Random(20241)
    mine = SegmentSeal(seal, "a")
    now: dict[str, bytes] = {}
    history: list[tuple[bytes, dict[str, bytes]]] = []
    for number in range(40):
        changes: dict[str, bytes | None] = {f"t{dice.randrange(8)}": dice.randbytes(3) for _ in range(2)}
        changes[f"t{dice.randrange(8)}"] = None
        blob = mine.seal(_saved(changes, is_whole=number == 0))
        now = {key: data for key, data in (now | changes).items() if data is not None}
        history.append((blob, now))
    refused = 0
    for _ in range(3000):
        (blob, right), (_, other), (_, third) = dice.choice(history), dice.choice(history), dice.choice(history)
        mixed = {key: dice.choice([right, other, third]).get(key) for key in right | other | third}
        given = {key: data for key, data in mixed.items() if data is not None}
        if given == right:
            assert SegmentSeal(seal, "a").open(blob, given) == PAYLOAD
            continue
        with pytest.raises(SnapshotAuthenticationError):
            SegmentSeal(seal, "a").open(blob, given)
        refused += 1
    assert refused > 2000
