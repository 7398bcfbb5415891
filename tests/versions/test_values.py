"""Values of the standard library that one Python has saved are the same under each other."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.harness.interpreters import REPOSITORY, Version, interpreters, name_of

pytestmark = pytest.mark.slow

SINCE_3_14 = ("settings", "placeholder")  # what these hold, older versions do not have: the error says so


def run(executable: str, action: str, folder: Path) -> str:
    """What ``python -m tests.versions.values`` prints."""
    command = [executable, "-W", "ignore", "-m", "tests.versions.values", action, str(folder)]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONHASHSEED": "random"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what each Python has saved."""
    folder = tmp_path_factory.mktemp("values")
    for executable in interpreters().values():
        run(executable, "dump", folder)
    return folder


@pytest.mark.parametrize("resumed", interpreters(), ids=name_of)
def test_values_are_the_same_under_each_python(resumed: Version, saved: Path) -> None:
    """What a version cannot have is refused in a sentence that says so; all else is as it was."""
    different = json.loads(run(interpreters()[resumed], "load", saved))
    refused = {name: text for name, text in different.items() if text.startswith("refused: the saved state holds")}
    assert different == refused
    newer = [version for version in interpreters() if version >= (3, 14) > resumed]
    assert set(refused) == {f"{version[1]}: {name}" for version in newer for name in SINCE_3_14}
