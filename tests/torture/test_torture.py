"""Every program of tests/programs in this process: natively, rewritten, and with its state restored at every step;
both as if imported under a runtime and before there is one."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import FrameType

import pytest

from tests.harness.programs import runnable_programs
from tests.harness.samples import one_in
from tests.harness.torture import hard_torture, native, observe, rewritten

PATIENCE = 600  # seconds for the runs of one program, which only end what hangs


class TooLong(BaseException):
    """No program catches it."""


@pytest.fixture(autouse=True)
def _limited_time() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  the signature of handlers
        raise TooLong(f"still running after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(PATIENCE)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("path", one_in(8, runnable_programs()))
def test_same_natively_rewritten_and_tortured(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program gives the same result by the same effects however often its state is saved, dropped and restored.

    Not each time it is saved too, so that there are frames which are not pickled again.
    """
    log = tmp_path / "effects"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFECT_LOG", str(log))
    expected = observe(native, path, log)
    for plain in (False, True):
        assert observe(partial(rewritten, plain=plain), path, log) == expected
        assert observe(partial(hard_torture, plain=plain, every=3 if plain else 1), path, log) == expected
    assert expected[1], "a program without effects proves nothing"
