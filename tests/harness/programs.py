"""The programs of tests/programs and what their first lines ask for."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path

from tests.harness.crash import PROGRAMS

HEAD_LINES = 5


def runnable_programs() -> list[Path]:
    """Those whose `# requires: 3.N` and `# needs: package` lines this interpreter meets, by name."""
    return [path for path in sorted(PROGRAMS.glob("p*.py")) if is_runnable(path)]


def is_runnable(path: Path) -> bool:
    head = "\n".join(path.read_text().splitlines()[:HEAD_LINES])
    version = re.search(r"^# requires: 3\.(\d+)", head, re.MULTILINE)
    if version and sys.version_info < (3, int(version[1])):
        return False
    needs = re.search(r"^# needs: (.+)$", head, re.MULTILINE)
    packages = re.split(r"[,\s]+", needs[1].strip()) if needs else []
    return all(importlib.util.find_spec(package) is not None for package in packages)
