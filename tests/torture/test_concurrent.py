"""Every program of tests/programs/concurrent: natively, and with its state restored at every await."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import pytest

from tests.harness.rewriting import PROGRAMS, sources
from tests.harness.samples import one_in
from tests.harness.torture import hard_torture, native, observe, rewritten

CONCURRENT = sources(PROGRAMS / "concurrent", sys.version_info[:2])
IN_SEGMENTS = CONCURRENT if os.environ.get("CRASH_ALL") else CONCURRENT[1::4]


@pytest.mark.parametrize("path", one_in(8, CONCURRENT))
def test_tasks_are_the_same_when_tortured(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks give the same result by the same effects however often all of them are saved, dropped and restored."""
    log = tmp_path / "effects"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFECT_LOG", str(log))
    expected = observe(native, path, log)
    result, effects = observe(partial(rewritten, plain=True), path, log)
    assert (result, sorted(effects)) == (expected[0], sorted(expected[1]))  # a TaskGroup cancels in the order of a set
    result, effects = observe(hard_torture, path, log)
    assert result == expected[0]
    assert set(effects) == set(expected[1])  # those in flight begin again


@pytest.mark.parametrize("path", one_in(8, IN_SEGMENTS))
def test_tasks_are_the_same_when_tortured_in_segments(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same when the state is kept in segments, of which only the changes are written, and as a whole, in turns."""
    log = tmp_path / "effects"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFECT_LOG", str(log))
    expected = observe(native, path, log)
    result, effects = observe(partial(hard_torture, forms="ssws", every=3, plain=True), path, log)
    assert result == expected[0]
    assert set(effects) == set(expected[1])  # those in flight begin again
