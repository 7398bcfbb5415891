"""Strict mode: rewritten code refuses to run where nothing of it is saved."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import durable_import
from durable_import import DurableError
from durable_import.frames import ambient
from tests.harness.crash import environment
from tests.harness.torture import fresh_module, hard_torture, native, rewritten

SOURCE = """# durable: on
import asyncio

async def inner():
    await asyncio.sleep(0)
    return 1

async def main():
    return await inner() + await inner()
"""


@pytest.fixture
def strict() -> Iterator[None]:
    """Strict mode, as ``install`` switches it on."""
    durable_import.install(strict=True)
    yield
    durable_import.uninstall()
    assert not ambient.ON


@pytest.fixture
def program() -> Iterator[types.ModuleType]:
    with fresh_module(SOURCE, "program.py", rewritten=True) as module:
        yield module


@pytest.mark.usefixtures("strict")
def test_without_a_runtime_a_function_refuses(program: types.ModuleType) -> None:
    """The error names the function, its place, the reason, who wants it so, and the way out."""
    expected = "program.py:8: main refuses to run: there is no runtime .*install.strict=True.*DurableRuntime"
    with pytest.raises(DurableError, match=expected):
        asyncio.run(program.main())


@pytest.mark.usefixtures("strict")
def test_instances_run_as_ever() -> None:
    """In an instance strict mode changes nothing."""
    assert hard_torture(SOURCE) == native(SOURCE)


STEP = """# durable: on
import asyncio
import {foreign} as foreign

async def inner():
    await asyncio.sleep(0)
    return 1

async def main():
    try:
        return await foreign.{function}(inner)
    except Exception as error:
        return str(error)
"""


@pytest.fixture
def foreign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that is not marked."""
    calls = "async def calls(f):\n    return await f()\n"
    task = "async def task(f):\n    return await asyncio.create_task(f())\n"
    (tmp_path / "strict_foreign.py").write_text(f"import asyncio\n{calls}{task}")
    monkeypatch.syspath_prepend(os.fspath(tmp_path))
    return "strict_foreign"


@pytest.mark.parametrize(("function", "caller"), [("calls", r"\(calls, .*strict_foreign.py:3\)"), ("task", "")])
@pytest.mark.usefixtures("strict")
def test_inside_a_leaf_a_function_refuses(foreign: str, function: str, caller: str) -> None:
    """The error names the foreign code that has called it."""
    said = hard_torture(STEP.format(foreign=foreign, function=function))
    assert re.search(f"inner refuses to run: code that is not durable has called it, .*{caller}.*mark the module", said), said


@pytest.mark.parametrize("function", ["calls", "task"])
def test_without_strict_mode_all_of_it_runs(foreign: str, function: str) -> None:
    """As plain asyncio, or as part of a step."""
    source = STEP.format(foreign=foreign, function=function)
    assert rewritten(source) == hard_torture(source) == "1"


def test_strict_mode_can_be_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    """By argument or by environment; ``uninstall`` ends it; calls that say nothing leave it."""
    try:
        for value, expected in (("1", True), ("0", False), ("", False)):
            monkeypatch.setenv("DURABLE_STRICT", value)
            durable_import.install()
            assert bool(ambient.STRICT) is bool(ambient.ON) is expected
            durable_import.uninstall()
        monkeypatch.delenv("DURABLE_STRICT")
        durable_import.install(strict=True)
        durable_import.install(["nothing.*"])
        durable_import.install(strict=True)
        assert ambient.ON == [ambient.STRICT]
        durable_import.install(strict=False)
        assert not ambient.ON
    finally:
        durable_import.uninstall()


def test_environment_makes_a_process_strict(tmp_path: Path) -> None:
    """DURABLE_STRICT=1 is seen by ``install``."""
    (tmp_path / "marked.py").write_text(SOURCE)
    code = "import asyncio, durable_import; durable_import.install(); import marked; asyncio.run(marked.main())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(DURABLE_STRICT="1"), capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "main refuses to run: there is no runtime" in done.stderr
    assert "DURABLE_STRICT=1" in done.stderr
