"""Lazy imports, which Python 3.15 brings, of a program that is killed: nothing is loaded that natively is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness import crash

FOLDER = crash.PROGRAMS / "lazy"

if sys.version_info >= (3, 15):

    @pytest.mark.parametrize("mode", ["normal", "all"])
    def test_killed_in_every_effect(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """State that leads to modules which are not loaded yet loads them, and only them; their data go on."""
        environment = crash.environment
        monkeypatch.setattr(crash, "environment", lambda **more: environment(**more, PYTHON_LAZY_IMPORTS=mode))
        told = crash.crash_torture(FOLDER / "shop.py")
        assert "'lazy_import'" in told

    def test_rewriting_loads_nothing(tmp_path: Path) -> None:
        """Neither importing a marked module nor giving its functions their fast code loads what it imports lazily."""
        (tmp_path / "marked.py").write_text("# durable: on\nlazy import never_loaded\n\nasync def use():\n    never_loaded\n")
        program = (
            "import durable_import, sys\ndurable_import.install()\nimport marked\n"
            "from durable_import.hook.exchange import exchange\nexchange()\ndurable_import.explain(marked.use)\n"
            "print(type(marked.__dict__['never_loaded']).__name__, type(marked.__loader__).__name__)\n"
        )
        variables = crash.environment()
        variables["PYTHONPATH"] += os.pathsep + str(FOLDER)
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=variables, text=True, capture_output=True, check=True
        )
        assert done.stdout == "lazy_import DurableSourceLoader\n"
