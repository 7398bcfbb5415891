"""Compressed files in snapshots: what was read and written goes on, and what cannot is refused with the way out."""

from __future__ import annotations

import bz2
import gzip
import importlib.util
import io
import lzma
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from durable_import.snapshot.pickler import dumps
from durable_import.snapshot.references import References
from durable_import.snapshot.unpickler import loads

LIBRARIES: list[Any] = [gzip, bz2, lzma]
if importlib.util.find_spec("compression"):
    LIBRARIES.append(importlib.import_module("compression.zstd"))
GO_ON = LIBRARIES[3:]  # since Python 3.14


def name_of(library: ModuleType) -> str:
    return library.__name__


def again(value: Any) -> Any:
    """What is left of a value in another process."""
    return loads(dumps(value, References()))


@pytest.mark.parametrize("library", LIBRARIES, ids=name_of)
@pytest.mark.parametrize("position", [0, 1, 5000, 40_000, 50_000])
def test_reading_goes_on(library: Any, position: int, tmp_path: Path) -> None:
    """The next byte is the one that was next, also at the end; the file below is closed with its owner."""
    data = b"".join(b"%d," % number for number in range(10_000))
    path = tmp_path / "file"
    path.write_bytes(library.compress(data[:20_000]) + library.compress(data[20_000:]))
    with library.open(path) as file:
        file.read(position)
        with again(file) as other:
            assert (other.tell(), other.read()) == (min(position, len(data)), data[position:])
    assert other.closed


if GO_ON:

    @pytest.mark.parametrize("library", GO_ON, ids=name_of)
    def test_writing_goes_on(library: Any, tmp_path: Path) -> None:
        """What is written after a checkpoint follows what was before it; what a dead process wrote after it is gone."""
        path = tmp_path / "file"
        file: Any = library.open(path, "wb")
        file.write(b"before,")
        data = dumps(file, References())
        file.write(b"lost,")
        file.close()
        with loads(data) as other:
            assert other.tell() == 7
            other.write(b"after")
        assert library.decompress(path.read_bytes()) == b"before,after"

    @pytest.mark.parametrize("library", GO_ON, ids=name_of)
    def test_saving_does_not_disturb_the_writer(library: Any) -> None:
        """Whoever was saved many times goes on as well; saving without anything new adds nothing."""
        below = io.BytesIO()
        with library.open(below, "wb") as file:
            for number in range(5):
                file.write(b"%d" % number)
                dumps(file, References())
                size = len(below.getvalue())
                dumps(file, References())
                assert len(below.getvalue()) == size
        assert library.decompress(below.getvalue()) == b"01234"


@pytest.mark.parametrize("library", LIBRARIES[:3], ids=name_of)
def test_writing_that_cannot_go_on_is_refused(library: Any, tmp_path: Path) -> None:
    """Streams whose compressors cannot be left and gone on with are refused in words."""
    with library.open(tmp_path / "file", "wb") as file, pytest.raises(Exception, match=r"being written with .*to_thread"):
        dumps(file, References())


@pytest.mark.parametrize("library", LIBRARIES, ids=name_of)
def test_closed_files_stay_closed(library: Any, tmp_path: Path) -> None:
    """A closed file is closed, and still one of its kind."""
    with library.open(tmp_path / "file", "wb") as file:
        file.write(b"x")
    other = again(file)
    assert (type(other), other.closed) == (type(file), True)
