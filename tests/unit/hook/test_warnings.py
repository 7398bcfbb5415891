"""What the compiler warns of in a marked module: the same as natively, once, and where it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.harness.imports import python, write

SUSPECT = r"""# durable: on
import asyncio

PATTERN = "\d"

async def step(value=1):
    await asyncio.sleep(0)
    return value

async def returns():
    try:
        await step()
    finally:
        return 1

async def leaves():
    for i in range(2):
        try:
            pass
        finally:
            await step()
            break
    for i in range(2):
        try:
            await step()
        finally:
            async with Manager():
                continue

class Manager:
    async def __aenter__(self): pass
    async def __aexit__(self, *details): pass
    def __enter__(self): pass
    def __exit__(self, *details): pass

async def compares(x):
    assert (await step(), "text")
    assert (1, "text")
    return await step() is 1, x is 1, "\q", f"\w{await step()}"

async def does_not():
    try:
        pass
    finally:
        async for i in given():
            break
        for i in range(3):
            await step()
            continue
        async def inner():
            return [await step() for i in range(3)]
        await inner()
    for i in range(3):
        with Manager():
            await step()
            break
        async with Manager():
            continue

async def given():
    with Manager():
        yield await step()
        return

def plain():
    try:
        pass
    finally:
        return 3

call = lambda: (1)(2)

async def main():
    return [await returns(), await leaves(), await compares(1), await does_not()]

if __name__ == "__main__":
    asyncio.run(main())
"""
IMPORT = """
import sys
how = sys.argv[1]
if how != "native":
    import durable_import
    durable_import.install()
if how == "fast":
    from durable_import.hook.switch import ON
    ON.append(1)
import suspect
if how == "exchanged":
    from durable_import.hook.exchange import exchange
    exchange()
if how != "native":
    assert "Durable" in type(suspect.__loader__).__name__
"""


def warnings_in(text: str) -> list[tuple[str, str]]:
    """Line and words of each warning about the module."""
    return re.findall(r"suspect\.py:(\d+): (SyntaxWarning: .*)", text)


@pytest.mark.parametrize("how", ["plain", "fast", "exchanged"])
def test_an_import_warns_as_natively(how: str, tmp_path: Path) -> None:
    """Each warning comes once, at its line; none comes when the module is in the cache of bytecode."""
    write(tmp_path, {"suspect.py": SUSPECT, "drive.py": IMPORT})
    native = warnings_in(python("drive.py", "native", cwd=tmp_path).stderr)
    assert len(native) >= 5
    found = [python("drive.py", how, cwd=tmp_path) for _ in range(2)]
    assert [run.returncode for run in found] == [0, 0]
    assert [warnings_in(run.stderr) for run in found] == [native, []]


def test_a_script_warns_as_natively(tmp_path: Path) -> None:
    """``run`` gives the warnings that ``python`` gives, once."""
    write(tmp_path, {"suspect.py": SUSPECT})
    native = python("suspect.py", cwd=tmp_path)
    durable = python("-m", "durable_import", "run", "suspect.py", cwd=tmp_path)
    assert (native.returncode, durable.returncode) == (0, 0)
    assert warnings_in(durable.stderr) == warnings_in(native.stderr)


@pytest.mark.parametrize("module", ["suspect", "another"])
@pytest.mark.parametrize("action", ["ignore", "error"])
def test_filters_name_the_module(action: str, module: str, tmp_path: Path) -> None:
    """A filter for a module's warnings does what it does natively, also where it makes errors of them."""
    write(tmp_path, {"suspect.py": SUSPECT, "drive.py": IMPORT})
    outcomes = []
    for how in ("native", "plain"):
        run = python("-B", "-W", f"{action}::SyntaxWarning:{module}", "drive.py", how, cwd=tmp_path)
        outcomes.append((run.returncode, warnings_in(run.stderr), run.stderr.splitlines()[-1:]))
    assert outcomes[0] == outcomes[1]
