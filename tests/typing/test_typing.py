"""The types of the public interface, as a type checker sees them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_origin

import durable_import
from durable_import import DurableProgram, InstanceHandle

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
IGNORED = re.compile(r"  # type: ignore\[([a-z-]+)\]")
FOUND = re.compile(r"wrong_uses\.py:(\d+): error: .*\[([a-z-]+)\]")


def checked(*paths: Path) -> list[str]:
    """What ``mypy --strict`` says of files, with the package as it is here."""
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", str(ROOT / "pyproject.toml"), *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert not done.stderr, done.stderr
    return done.stdout.splitlines()


def test_types_are_as_promised(tmp_path: Path) -> None:
    """Each right use has the type that it says, and of the wrong ones each is found, with its own error."""
    wrong = (FOLDER / "wrong_uses.py").read_text()
    (tmp_path / "wrong_uses.py").write_text(IGNORED.sub("", wrong))
    told = checked(FOLDER / "right_uses.py", tmp_path / "wrong_uses.py")
    found = [(int(match[1]), match[2]) for match in map(FOUND.search, told) if match]
    lines = enumerate(wrong.splitlines(), start=1)
    assert found == [(number, match[1]) for number, line in lines if (match := IGNORED.search(line))], "\n".join(told)
    assert [line for line in told if "error:" in line and "wrong_uses" not in line] == []
    assert told[-1].startswith(f"Found {len(found)} errors in 1 file")


def test_every_public_name_is_used() -> None:
    """The right uses are those of the whole public interface."""
    tree = ast.parse((FOLDER / "right_uses.py").read_bytes())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "durable_import"]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert sorted(alias.name for node in imports for alias in node.names if alias.name in used) == durable_import.__all__


def test_generic_names_are_annotations_when_they_run() -> None:
    """Without ``from __future__ import annotations`` they are evaluated."""
    assert get_origin(InstanceHandle[int]) is InstanceHandle
    assert get_args(InstanceHandle[int]) == (int,)
    assert get_origin(DurableProgram[[int, str], bool]) is DurableProgram
