"""Modules that are found and read, not imported; what an older text needs of them."""

from __future__ import annotations

import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from durable_import.upgrades.misfits import misfits
from durable_import.upgrades.on_disk import MAIN, ModuleText, ProgramText

RAISES = "# durable: on\nimport no_such_module\nasync def f():\n    pass\n"


@pytest.mark.parametrize("name", ["plain", "package", "package.inner", "spaces.inner", "zipped.inner"])
def test_modules_are_found_without_an_import(name: str, tmp_path: Path) -> None:
    """Files, packages, packages without `__init__`, archives: none is executed, nor what is around them."""
    for file in ("plain.py", "package/__init__.py", "package/inner.py", "spaces/inner.py"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(RAISES)
    with ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("zipped/__init__.py", RAISES)
        archive.writestr("zipped/inner.py", RAISES)
    found = ProgramText([str(tmp_path), str(tmp_path / "archive.zip")]).module(name)
    assert found is not None
    assert found.is_marked
    assert [*found.info.by_place] == ["f"]
    assert name not in sys.modules


def test_what_is_not_there(tmp_path: Path) -> None:
    """A module that is gone, one in a package that is gone, and one that has no text."""
    program = ProgramText([str(tmp_path)])
    assert program.module("no_such") is None
    assert program.module("no_such.inner") is None
    built_in = program.module("sys")
    assert built_in is not None
    assert built_in.source is None


def test_what_decorators_say() -> None:
    """Policies of functions, methods and nested functions, by their places."""
    text = b"""
import durable_import
from durable_import import on_change
@on_change("move")
async def f():
    @durable_import.on_change("latest")
    def g(): pass
class C:
    if True:
        @other
        @on_change("refuse")
        async def m(self): pass
@on_change(word)
def h(): pass
"""
    assert ModuleText("m", "m.py", text).policies == {
        ("m", "f"): "move",
        ("m", "f.<locals>.g"): "latest",
        ("m", "C.m"): "refuse",
    }


# What is there today, the body of the function of then, words of what no longer fits; empty: all fits.
CALLS = [
    ("class C:\n    def __init__(self, a): pass", "C(1)", ""),
    ("class C:\n    def __init__(self, a, b): pass", "C(1)", "takes (a, b)"),
    ("class C:\n    def __init__(self, a, b=2): pass", "C(1)", ""),
    ("class C:\n    def __init__(self, *, b): pass", "C(a=1)", "takes (*, b)"),
    ("class C:\n    def __init__(self, **more): pass", "C(a=1)", ""),
    ("class C:\n    def __init__(self, a, /): pass", "C(a=1)", "takes (a, /)"),
    ("class C:\n    def __init__(self, a, b): pass", "C(*x)", ""),
    ("class B:\n    def __init__(self, a): pass\nclass C(B): pass", "C()", "takes (a)"),
    ("@made\nclass C:\n    def __init__(self, a): pass", "C()", ""),
    ("", "C()", ""),
    ("C = None", "D", "needs 'D'"),
    ("C = None", "E", ""),
]


@pytest.mark.parametrize(("today", "body", "words"), CALLS)
def test_what_no_longer_fits(today: str, body: str, words: str) -> None:
    """Calls of today's classes, and names that are gone: literals and classes are had from the old text, computed values not."""
    then = f"# durable: on\nclass C: pass\nD = C()\nE = 1\nasync def f(x):\n    await x\n    return {body}\n"
    old = ModuleText("m", "then.py", then.encode())
    program = ProgramText([], None)
    program._known["m"] = ModuleText("m", "m.py", f"# durable: on\n{today}\nasync def f(x): pass\n".encode())
    found = [*misfits({"m": old}, program, [("m", "f")], ())]
    assert len(found) == bool(words), found
    assert all(words in each for each in found)


def test_main_is_what_was_given(tmp_path: Path) -> None:
    """A script stands for `__main__`; without one there is none."""
    assert ProgramText([]).module(MAIN) is None
    main = ModuleText(MAIN, str(tmp_path / "script.py"), b"")
    assert ProgramText([], main).module(MAIN) is main
