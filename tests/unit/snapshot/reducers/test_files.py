"""Files opened with ``open()`` go on where they were, and what was written later is not there twice."""

from __future__ import annotations

import csv
import io
import os
import pickle
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from durable_import.errors import SnapshotError
from tests.harness.pickling import dumps, loads, restored

TEXTS = {
    "unix": "".join(f"line {i}\n" for i in range(3000)),
    "dos": "".join(f"line {i}\r\n" for i in range(3000)),
    "mixed": "a\nb\r\nc\rd\n\n\r\n\r\r\n" * 900,
    "wide": "".join(f"漢字é𝄞 {i}\r\n" for i in range(3000)),
    "one line": "漢" * 20_000,
}


@pytest.mark.parametrize("newline", [None, "", "\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
@pytest.mark.parametrize("text", TEXTS)
def test_text_file_being_iterated(tmp_path: Path, text: str, encoding: str, newline: str | None) -> None:
    """The lines that are left are those that would be, in both the saved and the restored file."""
    path = tmp_path / "f"
    path.write_bytes(TEXTS[text].encode(encoding))
    with open(path, encoding=encoding, newline=newline) as file:
        lines = list(file)
    for position in {0, 1, 2, 703, len(lines) // 2, len(lines) - 1, len(lines)}:
        with open(path, encoding=encoding, newline=newline) as file:
            read = [line for _, line in zip(range(position), file, strict=False)]
            with restored(file) as again:
                rest = lines[len(read) :]
                assert list(again) == rest
            assert list(file) == rest


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_text_file_read_by_characters(tmp_path: Path, encoding: str) -> None:
    """The position may be in the middle of a line, also between iterated lines."""
    path = tmp_path / "f"
    path.write_text("äbc\r\ndef\r\n" * 2000, encoding=encoding, newline="")
    with open(path, encoding=encoding) as file:
        next(file)
        file.read(2)
        next(file)
        file.read(1)
        with restored(file) as again:
            assert again.read() == file.read()


def test_undecodable_bytes(tmp_path: Path) -> None:
    """Error handlers that lose bytes are counted the slow way."""
    path = tmp_path / "f"
    path.write_bytes(b"a\xff\xfeb\n\xffc\n" * 3000)
    for errors in ("ignore", "replace", "surrogateescape"):
        with open(path, encoding="utf-8", errors=errors) as file:
            for _ in range(41):
                next(file)
            with restored(file) as again:
                assert again.errors == errors
                assert again.read() == file.read()


def test_reading_keeps_every_setting(tmp_path: Path) -> None:
    """Name, mode, encoding, newline; and the layers are one object each."""
    path = tmp_path / "f"
    path.write_text("a\r\nb\r\n", newline="")
    with open(path, encoding="latin-1", newline="") as file:
        file.readline()
        again, buffer, raw, twice = restored((file, file.buffer, file.buffer.raw, file))  # type: ignore[attr-defined]
        assert (again.name, again.mode, again.encoding) == (str(path), "r", "latin-1") or again.name == path
        assert again is twice
        assert again.buffer is buffer
        assert buffer.raw is raw
        assert again.readline() == "b\r\n"
        again.close()


@pytest.mark.parametrize("mode", ["w", "x", "w+", "r+"])
def test_writing_is_cut_to_the_checkpoint(tmp_path: Path, mode: str) -> None:
    """What was written after the save is written again, once."""
    path = tmp_path / "f"
    if mode == "r+":
        path.write_text("")
    with open(path, mode, newline="\r\n") as file:
        file.write("one\n")
        snapshot = dumps(file)
        file.write("two\n")
    with loads(snapshot) as again:
        assert again.mode == mode
        again.write("two\n")
    assert path.read_bytes() == b"one\r\ntwo\r\n"


def test_binary_update_in_the_middle_keeps_the_rest(tmp_path: Path) -> None:
    """Cutting is to the size of the checkpoint, not to the position."""
    path = tmp_path / "f"
    path.write_bytes(b"0123456789")
    with open(path, "rb+") as file:
        file.seek(3)
        file.write(b"abc")
        snapshot = dumps(file)
        file.seek(0, os.SEEK_END)
        file.write(b"later")
    with loads(snapshot) as again:
        assert again.tell() == 6
        again.write(b"X")
    assert path.read_bytes() == b"012abcX789"


def test_append_goes_on(tmp_path: Path) -> None:
    """Others may have appended: nothing is cut."""
    path = tmp_path / "f"
    with open(path, "a") as file:
        file.write("one\n")
        snapshot = dumps(file)
    with open(path, "a") as other:
        other.write("other\n")
    with loads(snapshot) as again:
        again.write("two\n")
    assert path.read_text() == "one\nother\ntwo\n"


def test_unbuffered_file(tmp_path: Path) -> None:
    """A raw file is reopened as such."""
    path = tmp_path / "f"
    path.write_bytes(b"abc")
    with open(path, "rb", buffering=0) as file:
        file.read(1)
        with restored(file) as again:
            assert type(again) is io.FileIO
            assert again.read() == b"bc"


def test_closed_file_stays_closed(tmp_path: Path) -> None:
    """Even if it is gone by then."""
    path = tmp_path / "f"
    for mode in ("w", "r", "rb", "ab"):
        path.touch()
        with open(path, mode) as file:
            pass
        path.unlink()
        again = restored(restored(file))
        assert again.closed
        assert (again.name, again.mode) == (path if isinstance(again.name, Path) else str(path), mode)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """The error is the native one."""
    path = tmp_path / "gone"
    for mode in ("w", "a"):
        with open(path, mode) as file:
            snapshot = dumps(file)
        path.unlink()
        with pytest.raises(FileNotFoundError, match="gone"):
            loads(snapshot)
        assert not path.exists()


def test_file_that_lost_data_is_refused(tmp_path: Path) -> None:
    """Filling the gap with zeros would be worse."""
    path = tmp_path / "f"
    with open(path, "w") as file:
        file.write("12345")
        snapshot = dumps(file)
    path.write_text("12")
    with pytest.raises(SnapshotError, match="has 2 bytes, but had 5"):
        loads(snapshot)


def test_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The restoring process may be in another folder; the name stays."""
    monkeypatch.chdir(tmp_path)
    Path("f").write_text("ab")
    with open("f") as file:
        snapshot = dumps(file)
    monkeypatch.chdir("/")
    with loads(snapshot) as again:
        assert (again.name, again.read()) == ("f", "ab")


def test_what_cannot_be_reopened_is_refused(tmp_path: Path) -> None:
    """Pipes, anonymous temporary files, removed files."""
    reader, writer = os.pipe()
    with open(reader) as left, open(writer, "w") as right, tempfile.TemporaryFile() as anonymous:
        for file in (left, right, anonymous):
            with pytest.raises(pickle.PicklingError, match="no path"):
                dumps(file)
    with open(tmp_path / "f", "w") as removed:
        (tmp_path / "f").unlink()
        with pytest.raises(pickle.PicklingError, match="not the open file any more"):
            dumps(removed)


def test_temporary_file_wrapper_is_refused() -> None:
    """It removes its file when its process ends."""
    with tempfile.NamedTemporaryFile() as file, pytest.raises(pickle.PicklingError, match="temporary file"):
        dumps(file)


def test_standard_streams_and_memory_files() -> None:
    """By reference, whatever stands in their place; StringIO and BytesIO by value."""
    text = io.StringIO("abc")
    text.read(1)
    out, plain, text, data = restored((sys.stdout, sys.__stderr__, text, io.BytesIO(b"x")))
    assert out is sys.stdout
    assert plain is sys.__stderr__
    assert (text.read(), data.read()) == ("bc", b"x")


def test_csv_over_a_file(tmp_path: Path) -> None:
    """The reader and its file go on together; so does a writer."""
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_text("a,b\n1,2\n3,4\n")
    with open(source, newline="") as file, open(target, "w", newline="") as out:
        reader: Any = csv.DictReader(file)
        next(reader)
        writer = csv.writer(out, delimiter=";")
        writer.writerow([1])
        reader, writer, file_again, out_again = restored((reader, writer, file, out))
        with file_again, out_again:
            writer.writerow([2, 3])
            assert (next(reader), reader.line_num) == ({"a": "3", "b": "4"}, 3)
    assert target.read_text().splitlines() == ["1", "2;3"]
