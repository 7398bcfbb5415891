"""What errors and debuggers show of rewritten code: the lines of the source, as of native code."""

from __future__ import annotations

import ast
import asyncio
import difflib
import os
import re
import subprocess
import sys
import traceback
import types
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.harness.rewriting import GOLDEN
from tests.harness.torture import fresh_module

REPOSITORY = GOLDEN.parent.parent
RAISING = GOLDEN / "traced" / "raising.py"
STEPPING = GOLDEN / "traced" / "stepping.py"
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>")

# Where a tracer sees lines more often than natively, and why.
DETOURS = {
    "handlers": "the guard for suspension signals is at the line of `try`, the end of the handler at that of `except`",
    "groups": "the guard for suspension signals is at the line of `try`",
    "groups_with_await": "`except*` with awaits is taken apart",
    "finals": "the statement that records the pending outcome begins at the first line of `finally`",
    "matches_with_await_in_guard": "matching pattern by pattern goes back to the line of `match`",
    "decorated": "decorators are evaluated before the definition, not as part of it",
    "expressions_on_several_lines": "operands that are kept in temporaries are evaluated by statements of their own",
}
# `except*` with awaits raises what is left of a group by a call, which tracebacks show as one more entry.
MORE_ENTRIES = ("in_except_star", "through_except_star")


def programs(path: Path) -> list[str]:
    """The functions of a file that take no arguments."""
    tree = ast.parse(path.read_text())
    return [n.name for n in tree.body if isinstance(n, ast.AsyncFunctionDef) and not n.args.args and n.name != "give"]


@cache
def module_of(path: Path, *, rewritten: bool, plain: bool = False) -> types.ModuleType:
    """A file as a module."""
    with fresh_module(path.read_text(), str(path), rewritten=rewritten, plain=plain) as module:
        return module


def raised_by(path: Path, name: str, *, rewritten: bool) -> BaseException:
    """What a function of a file raises."""
    try:
        asyncio.run(getattr(module_of(path, rewritten=rewritten), name)())
    except Exception as error:
        return error
    raise AssertionError(f"{name} raises nothing")


def related(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """An exception, its cause, its context, its members, and theirs."""
    if error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        for other in (error.__cause__, error.__context__, *getattr(error, "exceptions", ())):
            yield from related(other, seen)


def entries(error: BaseException, path: Path) -> list[traceback.FrameSummary]:
    """The entries of a traceback that belong to a file; those of comprehensions, which may be inlined, left out."""
    summary = traceback.extract_tb(error.__traceback__)
    return [entry for entry in summary if entry.filename == str(path) and entry.name not in COMPREHENSIONS]


def shown(error: BaseException, path: Path) -> list[tuple[str, str, list[tuple[int | None, str, str | None]]]]:
    """What tracebacks say of an exception and of all that is related to it."""
    return [
        (type(e).__name__, str(e), [(entry.lineno, entry.name, entry.line) for entry in entries(e, path)])
        for e in related(error, set())
    ]


def in_comprehension(name: str) -> bool:
    return "comprehension" in name or name == "in_async_generator_expression"


@pytest.mark.parametrize("name", [n for n in programs(RAISING) if n not in MORE_ENTRIES and not in_comprehension(n)])
def test_tracebacks_are_native(name: str) -> None:
    """File, lines, function names, source lines, messages, causes and contexts are those of native code."""
    native, rewritten = (raised_by(RAISING, name, rewritten=flag) for flag in (False, True))
    assert shown(rewritten, RAISING) == shown(native, RAISING)


@pytest.mark.parametrize("name", [n for n in programs(RAISING) if in_comprehension(n)])
def test_tracebacks_of_comprehensions(name: str) -> None:
    """In a comprehension the innermost line is right; the comprehension may show as a function, as in Python 3.11."""
    native, rewritten = (raised_by(RAISING, name, rewritten=flag) for flag in (False, True))
    assert (type(rewritten), str(rewritten)) == (type(native), str(native))
    innermost = [traceback.extract_tb(error.__traceback__)[-1] for error in (native, rewritten)]
    assert innermost[1].line == innermost[0].line
    assert [e.name for e in entries(rewritten, RAISING)] == [e.name for e in entries(native, RAISING)]


@pytest.mark.parametrize("name", MORE_ENTRIES)
def test_tracebacks_of_exception_groups(name: str) -> None:
    """With awaits in ``except*`` the native entries of each traceback are there, in order, and no line is wrong."""
    native, rewritten = (shown(raised_by(RAISING, name, rewritten=flag), RAISING) for flag in (False, True))
    assert [(kind, text) for kind, text, _ in rewritten] == [(kind, text) for kind, text, _ in native]
    for (_, _, expected), (_, _, actual) in zip(native, rewritten, strict=True):
        assert is_subsequence(expected, actual)
        assert {function for _, function, _ in actual} <= {name, "boom"}


@pytest.mark.parametrize("name", [n for n in programs(RAISING) if n not in MORE_ENTRIES and not in_comprehension(n)])
def test_carets(name: str) -> None:
    """The marked part of the line is the native one, or narrower or wider around the same expression."""
    native, rewritten = (raised_by(RAISING, name, rewritten=flag) for flag in (False, True))
    for one, other in zip(entries(native, RAISING), entries(rewritten, RAISING), strict=True):
        inner, outer = sorted((extent(one), extent(other)), key=lambda e: (e[1][0] - e[0][0], e[1][1] - e[0][1]))
        assert outer[0] <= inner[0] <= inner[1] <= outer[1], (one.line, inner, outer)


def extent(entry: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Begin and end of what a traceback entry marks, as (line, column)."""
    return (entry.lineno, entry.colno), (entry.end_lineno, entry.end_colno)


def is_subsequence(part: list[Any], whole: list[Any]) -> bool:
    """Whether the items of ``part`` occur in ``whole`` in this order."""
    rest = iter(whole)
    return all(item in rest for item in part)


def stepped_lines(name: str, *, rewritten: bool, plain: bool = False) -> tuple[str, list[tuple[str, list[int]]]]:
    """What a function returns, and the lines that a tracer sees in each frame; repeated lines count once."""
    frames: list[tuple[types.FrameType, list[int]]] = []

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename != str(STEPPING):
            return None
        lines = next((seen for known, seen in frames if known is frame), None)
        if lines is None:
            frames.append((frame, lines := []))
        if event == "line" and lines[-1:] != [frame.f_lineno]:
            lines.append(frame.f_lineno)
        return trace

    async def run(function: Any) -> Any:
        coroutine = function()
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            return await coroutine
        finally:
            sys.settrace(before)

    result = repr(asyncio.run(run(getattr(module_of(STEPPING, rewritten=rewritten, plain=plain), name))))
    return result, [(f.f_code.co_name, seen) for f, seen in frames if f.f_code.co_name not in COMPREHENSIONS]


@pytest.mark.parametrize("name", programs(STEPPING))
def test_line_events_without_a_runtime(name: str) -> None:
    """What runs then shows a tracer the native lines, no more."""
    assert stepped_lines(name, rewritten=True, plain=True) == stepped_lines(name, rewritten=False)


@pytest.mark.parametrize("name", programs(STEPPING))
def test_line_events(name: str) -> None:
    """A tracer sees the native lines in the native order; where it sees more, the list above says why."""
    expected, native = stepped_lines(name, rewritten=False)
    result, rewritten = stepped_lines(name, rewritten=True)
    assert result == expected
    if name not in DETOURS:
        assert rewritten == native
        return
    assert [function for function, _ in rewritten] == [function for function, _ in native]
    for (_, wanted), (_, seen) in zip(native, rewritten, strict=True):
        assert is_subsequence(wanted, seen)


SESSION_TARGET = """# durable: {mark}
import asyncio


async def give(value=None):
    await asyncio.sleep(0)
    return value


async def helper(x):
    y = x + 1
    z = y + await give(y)
    return z


async def main():
    total = 0
    for i in range(2):
        total += await helper(i)
    with open("/dev/null") as file:
        data = [total, await give(1)]
    print(data)
    return total
"""
SESSION_DRIVER = """
import asyncio, pdb
import durable_import
durable_import.install()
from durable_import.frames import ambient
ambient.ON.extend({runtimes})
import target
ambient.ON.clear()
pdb.Pdb(readrc=False, nosigint=True).run("asyncio.run(target.main())", {"asyncio": asyncio, "target": target})
"""
COMMANDS = "b target.py:17|c|p locals()|l|n|n|s|n|n|p sorted(locals())|w|n|n|w|r|n|n|l .|n|n|u|d|n|n|n|n|p locals()|w|c|q"


def pdb_session(folder: Path, mark: str, runtimes: str = "[]") -> str:
    """The transcript of a session, with object addresses and what is above the program left out.

    ``runtimes``: those that exist when the program is imported.
    """
    folder.mkdir()
    (folder / "target.py").write_text(SESSION_TARGET.format(mark=mark))
    (folder / "drive.py").write_text(SESSION_DRIVER.replace("{runtimes}", runtimes))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(REPOSITORY), str(folder))), "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "drive.py"],
        cwd=folder,
        env=environment,
        text=True,
        timeout=300,
        input=COMMANDS.replace("|", "\n") + "\n",
        capture_output=True,
        check=True,
    )
    return re.sub(r"0x[0-9a-f]+", "0x", done.stdout.replace(str(folder), ""))


def without_hidden_names(transcript: str) -> str:
    """A transcript without the hidden variables in the mappings and lists that it shows."""
    entry = r"(?:'@\w+': (?:<[^>]*>|'[^']*'|[^,}<]*)|'@\w+')"
    return re.sub(rf"{entry}, |, {entry}|{entry}", "", transcript)


def test_debugger_session(tmp_path: Path) -> None:
    """Stepping with ``pdb`` shows what it shows natively; under a runtime hidden variables too, before Python 3.14."""
    native = pdb_session(tmp_path / "native", "off")
    assert pdb_session(tmp_path / "plain", "on") == native
    rewritten = pdb_session(tmp_path / "rewritten", "on", '["a runtime"]')
    assert ("'@" in rewritten) == (sys.version_info < (3, 14)), "pdb's view of a frame's variables is another than it was"
    same = without_hidden_names(rewritten) == native
    assert same, "\n".join(difflib.unified_diff(native.splitlines(), without_hidden_names(rewritten).splitlines()))
    for shown_line in ("-> total += await helper(i)", "-> z = y + await give(y)", "B->", "target.py(19)main()"):
        assert shown_line in native
