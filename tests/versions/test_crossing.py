"""Values saved by one process and Python version go on in another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.interpreters import REPOSITORY, interpreters
from tests.versions.scenarios import SCENARIOS

pytestmark = pytest.mark.slow


def run(python: str, action: str, file: Path) -> None:
    """Save all scenarios in another process, or load and check them there."""
    command = [python, "-W", "error", "-m", "tests.versions.scenarios", action, str(file)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": "random"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{len(SCENARIOS)} {action}ed"


def test_across_versions(tmp_path: Path) -> None:
    """Each Python that is here loads what this one saved, and this one what each other saved."""
    file = tmp_path / "snapshot"
    for other in interpreters().values():
        run(sys.executable, "dump", file)
        run(other, "load", file)
        run(other, "dump", file)
        run(sys.executable, "load", file)
