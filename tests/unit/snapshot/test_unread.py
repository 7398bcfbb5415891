"""Variables that nothing reads any more and that cannot be saved are found once, and then left out at once."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import durable_import
from durable_import import DurableRuntime
from durable_import.snapshot.pickler import can_be_saved
from durable_import.snapshot.references import References
from durable_import.stores.memory import InMemoryStateStore

PROGRAM = """\
# durable: on
import asyncio, sys

async def main(count):
    for number in range(count):
        frame = sys._getframe()
        name = frame.f_code.co_name
        await asyncio.sleep(0)
        await asyncio.to_thread(sys._getframe)
    return name
"""


async def test_found_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each place where a frame stands; how often it comes there costs nothing more."""
    (tmp_path / "program_of_unread.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    durable_import.install()
    program = importlib.import_module("program_of_unread")
    trials = []

    def tried(references: References, value: object) -> bool:
        trials.append(value)
        return can_be_saved(references, value)

    monkeypatch.setattr("durable_import.snapshot.encoder.can_be_saved", tried)
    counts = []
    for rounds in (3, 30):
        trials.clear()
        async with DurableRuntime(InMemoryStateStore(), key=bytes(32)) as runtime:
            assert await runtime.run(program.main, rounds) == "main"
        counts.append(len(trials))
    assert counts[0] == counts[1] > 0
