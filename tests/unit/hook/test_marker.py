"""Which sources are marked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from durable_import.hook import marker

MARKED = [
    b"# durable: on",
    b"# durable: on\n",
    b"#durable:on\r\nx = 1\r\n",
    b"#  durable:   on  # why\nx = 1",
    b"# durable: on - as it runs for days\nx = 1",
    b"   # durable: on\nx = 1",
    b"\xef\xbb\xbf# durable: on\nx = 1",
    b"#!/usr/bin/env python3\n# -*- coding: latin-1 -*-\n# Copyright \xe9\n\n\x0c\n# durable: on\nx = 1",
    b'"""Doc."""\n# durable: on\nx = 1',
    b'"""Doc."""  # durable: on\nx = 1',
    b'# c\n\n"""Doc\n# durable: off\n\\""" still"""\n\n# c\n# durable: on\nimport x',
    b"r'''Doc ''\\''' '''\n# durable: on\nimport x",
    b"'one' \"two\"  # durable: on\nx = 1",
    b"''\n# durable: on\n",
    b"# durable: on\n# durable: off\n",
    b"# durable: on\rx = 1",
    '# coding: gbk\n"""\u8a89\u4e00\u7a5c"""\n# durable: on\n'.encode("gbk"),
]
UNMARKED = [
    b"",
    b"x = 1",
    b"x = 1\n# durable: on\n",
    b"# durable: off\nx = 1",
    b"# durable: off\n# durable: on\n",
    b"# durable: once\n",
    b"# durable: on-call\n",
    b"# not durable: on\n",
    b"# durable\n# on\n",
    b'"""Doc.\n# durable: on\n"""\nx = 1',
    b'"""Doc."""\n"""Another."""\n# durable: on\n',
    b'"""Doc."""; x = 1\n# durable: on\n',
    b'"""Doc.""" % 1\n# durable: on\n',
    b"f'''Doc.'''\n# durable: on\n",
    b"b'Doc.'\n# durable: on\n",
    b"import x  # durable: on\n",
    b'"""never closed\n# durable: on\n',
    b"# coding: no-such-coding\nx = 1  # durable: on",
]


@pytest.mark.parametrize("source", MARKED)
def test_marker_is_seen(source: bytes) -> None:
    """A marker counts anywhere before the first statement other than the docstring."""
    assert marker.source_is_marked(source)


@pytest.mark.parametrize("source", UNMARKED)
def test_no_marker_is_made_up(source: bytes) -> None:
    """Text that only resembles a marker, or stands behind the head, is none."""
    assert not marker.source_is_marked(source)


@pytest.mark.parametrize("chunk", range(4, 40))
def test_marker_does_not_depend_on_where_reading_stops(chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the first read cuts the head, the answer is that for the whole source."""
    monkeypatch.setattr(marker, "CHUNK", chunk)
    path = tmp_path / "m.py"
    for source in MARKED + UNMARKED:
        if b"gbk" not in source:  # cut inside a character: the one case that is allowed to read on
            path.write_bytes(source)
            assert marker.file_is_marked(str(path)) == (source in MARKED), source


def test_marker_behind_a_long_docstring(tmp_path: Path) -> None:
    """A docstring longer than the first read does not hide the marker behind it."""
    path = tmp_path / "m.py"
    path.write_bytes(b'"""' + b"text\n" * 10000 + b'"""\n# durable: on\n')
    assert marker.file_is_marked(str(path))


def test_unmarked_module_pays_one_small_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an unmarked module, however long, only the head is read, once."""
    path = tmp_path / "m.py"
    path.write_bytes(b'"""Doc."""\nimport os\n' + b"x = 1  # durable: on\n" * 100_000)
    sizes: list[int] = []

    class Counting:
        def __init__(self, *arguments: Any, **keywords: Any) -> None:
            self.file = open(*arguments, **keywords)  # noqa: SIM115  __exit__ closes it

        def __enter__(self) -> Counting:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def read(self, size: int) -> Any:
            sizes.append(size)
            return self.file.read(size)

    monkeypatch.setattr(marker, "open", Counting, raising=False)
    assert not marker.file_is_marked(str(path))
    assert sizes == [marker.CHUNK]


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        (b"x = 1\n", b"# durable: on\nx = 1\n"),
        (b"", b"# durable: on\n"),
        (b"#!/usr/bin/python\r\nx = 1", b"#!/usr/bin/python\r\n# durable: on\r\nx = 1"),
        (b"#!/usr/bin/python", b"#!/usr/bin/python\n# durable: on\n"),
        (b"# coding: latin-1\nx = 1", b"# coding: latin-1\n# durable: on\nx = 1"),
        (b"#!/usr/bin/python\n# coding: latin-1\nx", b"#!/usr/bin/python\n# coding: latin-1\n# durable: on\nx"),
        (b"# mine\n# coding: gbk\nx", b"# mine\n# coding: gbk\n# durable: on\nx"),
        (b"x = 1\n# coding: gbk\n", b"# durable: on\nx = 1\n# coding: gbk\n"),
        (b"\xef\xbb\xbfx = 1\n", b"\xef\xbb\xbf# durable: on\nx = 1\n"),
        (b'"""Doc."""\n', b'# durable: on\n"""Doc."""\n'),
    ],
)
def test_marker_is_put_first(source: bytes, marked: bytes) -> None:
    """It stands before everything that does not have to be the first."""
    assert marker.with_marker(source) == marked
    assert marker.source_is_marked(marked)
