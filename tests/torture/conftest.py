"""What the tests of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the effects of a program, which runs in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EFFECT_LOG", str(tmp_path / "effects"))
    return tmp_path / "effects"
