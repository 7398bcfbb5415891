"""Programs that exit, or fail, while other tasks of them run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.crash import RUN, environment
from tests.harness.torture import hard_torture, native, observe

SOURCE = """# durable: on
import asyncio, sys
from world import effect

async def background():
    try:
        await asyncio.Event().wait()
    finally:
        await effect("clean up")

async def leave(how):
    await effect("leave")
    if how == "exit":
        sys.exit(3)
    raise ValueError(how)

async def main():
    task = asyncio.create_task(background())
    await effect("begin")
    WAY_OUT

if __name__ == "__main__":
    asyncio.run(main())
"""
WAYS_OUT = {
    "exit of the program": 'await leave("exit")',
    "exit of another task": 'asyncio.create_task(leave("exit")); await asyncio.Event().wait()',
    "failure": 'await leave("broken")',
}


@pytest.mark.parametrize("way_out", WAYS_OUT.values(), ids=WAYS_OUT)
def test_other_tasks_clean_up(way_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever ends a program, the tasks that it leaves behind get to their ``finally`` blocks, as natively."""
    path, log = tmp_path / "program.py", tmp_path / "effects"
    path.write_text(SOURCE.replace("WAY_OUT", way_out))
    monkeypatch.setenv("EFFECT_LOG", str(log))
    expected = observe(native, path, log)
    assert expected[1] == ["begin", "leave", "clean up"]
    assert observe(hard_torture, path, log) == expected


@pytest.mark.parametrize("way_out", WAYS_OUT.values(), ids=WAYS_OUT)
def test_a_failed_program_is_tried_again_from_before_the_failure(way_out: str, tmp_path: Path) -> None:
    """What the other tasks do as a program ends is not saved: the next run begins where it had not ended yet, if it may.

    What they do because of a failure is told, and asked about.
    """
    path, log = tmp_path / "program.py", tmp_path / "effects"
    path.write_text(SOURCE.replace("WAY_OUT", way_out))
    command = [sys.executable, *RUN, str(path)]
    codes = [
        subprocess.run(
            command, cwd=tmp_path, env=environment(EFFECT_LOG=str(log)), capture_output=True, timeout=300, check=False
        ).returncode
        for _ in range(2)
    ]
    has_failed = "broken" in way_out
    assert codes == ([1, 70] if has_failed else [3, 3])
    assert log.read_text().splitlines() == ["begin", "leave", *["clean up"] * (1 if has_failed else 2)]
