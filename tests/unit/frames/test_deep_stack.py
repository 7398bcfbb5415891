"""What a checkpoint of a deep stack costs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from durable_import.frames import capture
from tests.harness.torture import hard_torture

DEEP = """
import asyncio

async def descend(depth):
    if depth:
        return 1 + await descend(depth - 1)
    return await asyncio.sleep(0.2, 0)

async def main():
    return await descend({depth})
"""


def looks_at_frames(depth: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How often frames are looked at while a stack of a depth is saved and restored."""
    looked = 0
    parts_of: Callable[[Any], capture.FrameParts] = capture.parts_of

    def counted(value: Any) -> capture.FrameParts:
        nonlocal looked
        looked += 1
        return parts_of(value)

    with monkeypatch.context() as patch:
        patch.setattr(capture, "parts_of", counted)
        assert hard_torture(DEEP.format(depth=depth)) == str(depth)
    return looked


def test_cost_is_in_proportion_to_the_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack that is twice as deep takes about twice as long to save."""
    assert looks_at_frames(160, monkeypatch) < 2.5 * looks_at_frames(80, monkeypatch)
