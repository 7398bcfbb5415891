"""A script under ``run`` goes back when that is asked of it from a shell, and does what came after once more."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.harness.crash import environment

SCRIPT = """\
# durable: on
import asyncio

async def main():
    total = 0
    for number in range(1000):
        await asyncio.sleep(0.1)
        total += number
        print(number, total, flush=True)

asyncio.run(main())
"""


@pytest.mark.slow
def test_a_script_obeys(tmp_path: Path) -> None:
    """Within a second, in the middle of its sleeps; a fork of it goes on under ``run``, too."""
    (tmp_path / "job.py").write_text(SCRIPT)
    store = ("--store", f"sqlite:///{tmp_path}/state.db?history=50")
    command = [sys.executable, "-m", "durable_import"]

    def said(*words: str) -> str:
        done = subprocess.run([*command, *words], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
        return done.stdout

    def until_printed(path: Path, line: str, times: int) -> None:
        end = time.monotonic() + 60
        while path.read_text().splitlines().count(line) < times:
            assert time.monotonic() < end, path.read_text()
            time.sleep(0.02)

    def begun(instance: str, output: Path) -> subprocess.Popen[bytes]:
        with output.open("w") as written:
            words = [*command, "run", *store, "--instance", instance, "job.py"]
            return subprocess.Popen(words, cwd=tmp_path, env=environment(), stdout=written)

    output, other = tmp_path / "output", tmp_path / "other"
    runs = [begun("job", output)]
    try:
        until_printed(output, "12 78", 1)
        checkpoint = str(json.loads(said("history", *store, "job", "--json"))[5]["checkpoint"])
        said("fork", *store, "job", "--checkpoint", checkpoint, "--new-id", "other", "--set", "total=1000", "--set", "number=998")
        said("rewind", *store, "job", checkpoint)
        until_printed(output, "8 36", 2)
        runs.append(begun("other", other))
        until_printed(other, "998 1998", 1)
    finally:
        for run in runs:
            run.kill()
            run.wait()
