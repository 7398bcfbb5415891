"""On a Python that is not known marked modules run, and a runtime works or is refused in one sentence."""

from __future__ import annotations

import asyncio
import importlib
import opcode
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from durable_import import DurableRuntime, UnsupportedPythonError
from durable_import.api import trial
from durable_import.frames import ambient
from durable_import.hook import loader
from durable_import.hook.install import install, uninstall
from durable_import.pythons import names, support, versions
from durable_import.rewrite import compiler
from tests.harness.crash import environment
from tests.harness.imports import write
from tests.harness.unknown_pythons import outcomes

VERSION = sys.version_info[:2]
OF_MODULES = [row.name for row in names.TABLE if row.is_in(VERSION) and row.name.rpartition(".")[0] in sys.modules]
FUTURE = "3.16.0"
REFUSED = re.compile(
    r"durable_import knows Python 3\.11 to 3\.15, and instances cannot run on this Python ([\d.]+): (.+)\. Run them with a "
    r"Python that it knows, or install a newer durable_import; without a runtime, marked modules run as they are\."
)


def lack_of(told: dict[str, Any]) -> str:
    """What a runtime was refused for, where the marked module ran."""
    assert told.keys() == {"plain", "refused"}, told
    assert told["plain"] == 6
    match = REFUSED.fullmatch(told["refused"])
    assert match, told
    return match[2]


@pytest.fixture
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """This Python is not known."""
    for module in (names, support, trial, loader):
        monkeypatch.setattr(module, "IS_KNOWN", False)
    trial._found.cache_clear()


def test_a_newer_python_works_or_is_refused() -> None:
    """One that differs from the newest known in nothing but its number works; one that lacks what that has is refused."""
    [told] = outcomes(FUTURE)
    if versions.NEWEST == VERSION:
        assert told == {"plain": 6, "durable": 10}
    else:
        assert lack_of(told)


@pytest.mark.slow
def test_a_name_that_is_gone_is_told() -> None:
    """Without a private name of a module, plain modules run, and a runtime is refused by its name, on known Pythons too."""
    for name, told in zip(OF_MODULES, outcomes("-", *OF_MODULES), strict=True):
        assert told == {"plain": 6, "durable": 10} or f"it has no {name} (" in lack_of(told)


@pytest.mark.slow
def test_a_name_that_is_gone_from_a_newer_python_is_told() -> None:
    """There each of them is looked for, also one that is used seldom."""
    lacks = [lack_of(told) for told in outcomes(FUTURE, *OF_MODULES)]
    assert len(lacks) == len(OF_MODULES)
    if versions.NEWEST == VERSION:
        assert [name for name, lack in zip(OF_MODULES, lacks, strict=True) if f"no {name} (" not in lack] == []


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize("row", names.TABLE, ids=lambda row: row.name)
def test_an_attribute_that_is_gone_is_told(row: names.PrivateName, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that this Python is to have, and has not, refuses a runtime; with all of them it runs."""
    there = names.is_there
    monkeypatch.setattr(names, "is_there", lambda name: name != row.name and there(name))
    if row.is_in(VERSION):
        with pytest.raises(UnsupportedPythonError, match=re.escape(f"it has no {row.name} ({row.purpose})")):
            DurableRuntime("memory:")
    else:
        names.check_names()


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize("row", names.INSTRUCTIONS, ids=lambda row: row.name)
def test_an_instruction_that_is_gone_is_told(row: names.PrivateName, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the instructions that are looked for in compiled code."""
    monkeypatch.setattr(opcode, "opmap", {k: v for k, v in opcode.opmap.items() if k != row.name})
    if row.is_in(VERSION):
        with pytest.raises(UnsupportedPythonError, match=re.escape(f"it has no {row.name} ({row.purpose})")):
            DurableRuntime("memory:")


@pytest.mark.usefixtures("unknown")
def test_the_trial_is_passed() -> None:
    """A program of all kinds of held things comes to its right result on every known Python."""
    trial.check_python(DurableRuntime)
    assert trial.__name__ + "_program" not in sys.modules


@pytest.mark.usefixtures("unknown")
def test_another_result_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What silently goes on elsewhere is found by the trial, each time."""
    monkeypatch.setattr(trial, "RESULT", ())
    for _ in range(2):
        with pytest.raises(UnsupportedPythonError, match=r"a program that was suspended and resumed gave .*, not \(\)"):
            DurableRuntime("memory:")


@pytest.mark.usefixtures("unknown")
@pytest.mark.parametrize(
    ("error", "words"), [(ZeroDivisionError(), "trial failed .ZeroDivisionError: "), (None, "trial failed .TimeoutError")]
)
def test_a_trial_that_fails_is_refused(monkeypatch: pytest.MonkeyPatch, error: Exception | None, words: str) -> None:
    """An exception in it is no traceback of ours, and it does not hang."""

    async def fail(_: object) -> None:
        if error is not None:
            raise error
        await asyncio.sleep(1)

    monkeypatch.setattr(trial, "PATIENCE", 0.5)
    monkeypatch.setattr(trial, "_suspended_and_resumed", fail)
    with pytest.raises(UnsupportedPythonError, match=words):
        DurableRuntime("memory:")


@pytest.mark.usefixtures("unknown")
def test_a_trial_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its runtime is closed: the rest of the process goes on without one."""
    entered = []

    async def hang(_: object) -> None:
        async with DurableRuntime("memory:") as runtime:
            entered.append(runtime in ambient.ON)
            await asyncio.Event().wait()

    monkeypatch.setattr(trial, "PATIENCE", 0.5)
    monkeypatch.setattr(trial, "_suspended_and_resumed", hang)
    before = list(ambient.ON)
    with pytest.raises(UnsupportedPythonError, match=r"trial failed .TimeoutError"):
        DurableRuntime("memory:")
    assert entered == [True]
    assert before == ambient.ON


@pytest.mark.usefixtures("unknown")
def test_a_name_that_cannot_be_looked_for_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that is made otherwise there ends in no traceback."""

    class Queue:
        def __init__(self, needed: int) -> None:
            self._getters = self._putters = needed

    monkeypatch.setattr(asyncio, "Queue", Queue)
    with pytest.raises(UnsupportedPythonError, match=r"looking for what it has failed .TypeError: .* argument: 'needed'"):
        DurableRuntime("memory:")


@pytest.mark.usefixtures("unknown")
def test_a_module_that_the_rewriter_does_not_understand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is imported as it is, with a warning that says so, while there is no runtime."""

    def fail(*_: Any) -> None:
        raise KeyError("NewNode")

    monkeypatch.setattr(loader, "ON", [])  # whatever other tests may have left
    monkeypatch.setattr(compiler, "compile_plain", fail)
    monkeypatch.syspath_prepend(str(tmp_path))
    write(tmp_path, {"m_unknown.py": "# durable: on\nasync def f(): return 1\n"})
    install()
    try:
        with pytest.warns(RuntimeWarning, match=r"not durable: durable_import knows .* module 'm_unknown' failed .KeyError"):
            m_unknown = importlib.import_module("m_unknown")
    finally:
        uninstall()
        sys.modules.pop("m_unknown", None)
    with pytest.raises(StopIteration):
        m_unknown.f().send(None)


def test_run_says_one_sentence(tmp_path: Path) -> None:
    """The command line prints it, with the status of our errors."""
    write(
        tmp_path,
        {
            "sitecustomize.py": f"from tests.harness.unknown_pythons import *\nhide('pickle._Pickler'); pretend({FUTURE!r})",
            "script.py": "# durable: on\nprint('ran')\n",
        },
    )
    variables = environment()
    variables["PYTHONPATH"] = f"{tmp_path}:{variables['PYTHONPATH']}"
    command = [sys.executable, "-m", "durable_import", "run", "script.py"]
    ended = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=300, check=False)
    assert (ended.returncode, ended.stdout) == (70, "")
    match = REFUSED.fullmatch(ended.stderr.removeprefix("durable_import: error: ").rstrip("\n"))
    assert match, ended.stderr
    assert match[1] == FUTURE


def test_known_pythons_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The trial costs nothing where it is not needed."""
    monkeypatch.setattr(trial, "_found", lambda: pytest.fail("tried"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DurableRuntime("memory:")
