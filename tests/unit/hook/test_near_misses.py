"""Comments that are meant to mark a module and do not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from durable_import.hook.near_misses import near_miss
from tests.harness.imports import python, write

WRITTEN_OTHERWISE = (
    b"# Durable: On",
    b"#durable on",
    b"# durable=on",
    b"# durable : on",
    b"# DURABLE: ON",
    b"# durable: yes",
    b"# durable: true",
)


@pytest.mark.parametrize("comment", WRITTEN_OTHERWISE)
def test_written_in_another_way(comment: bytes) -> None:
    """The comment is quoted, with its line, and what it should be."""
    told = near_miss(b'"""Doc."""\n' + comment + b"\nimport asyncio\n")
    assert told == f"line 2 has `{comment.decode()}`, which is not the comment: it is `# durable: on`, in small letters"


@pytest.mark.parametrize(
    "source", [b"import asyncio\n# durable: on\n", b"import asyncio  # durable: on\n", b"def f():\n    #durable: on\n    ("]
)
def test_below_code(source: bytes) -> None:
    """One that stands too low is told to be so, also in a module that is cut off or that is no Python."""
    assert "but below code: it counts only above the first statement" in near_miss(source)


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"# durable on disk\nimport x\n",
        b"# durable: off\nimport x\n# durable: on\n",
        b'TEXT = """\n# durable: on\n"""\n',
        b"# a module of durable things\n",
        b'"""\n# Durable: On\n',
        b"# coding: no-such-coding\n# Durable: On\n",
    ],
)
def test_what_is_not_meant(source: bytes) -> None:
    """A comment that says something else, a text, and a module that is not to be durable."""
    assert near_miss(source) == ""


def test_an_import_tells(tmp_path: Path) -> None:
    """A warning, once, at the import statement; the module is imported as it is."""
    write(tmp_path, {"near.py": "import asyncio\n# durable: on\nasync def f(): pass\n"})
    done = python("-c", "import durable_import as d; d.install()\nimport near; print(near.f.__name__)", cwd=tmp_path)
    assert done.stdout == "f\n", done.stderr
    assert re.search(
        r"RuntimeWarning: module 'near' \(\S+near\.py\) is not durable: line 2 has `# durable: on`, but below", done.stderr
    )
    assert "<string>:2: RuntimeWarning" in done.stderr
