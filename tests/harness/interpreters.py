"""The Python versions on this machine that a test can compare with one another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parent.parent.parent
SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 14), (3, 15))
NAMED = "DURABLE_TEST_PYTHONS"  # this variable names interpreters, separated as in PATH: one that it names must be there
Version = tuple[int, int]


@cache
def interpreters() -> dict[Version, str]:
    """One interpreter of each supported version that is found: this one, those named, those beside it and those on the path."""
    found = _named() | {sys.version_info[:2]: sys.executable}
    for version in SUPPORTED:
        for candidate in _candidates(version):
            if version not in found and _version_of(candidate) == version:
                found[version] = candidate
    if len(found) == 1:
        warnings.warn(f"only Python {name_of(*found)} is here: tests across versions compared it with itself", stacklevel=2)
    return dict(sorted(found.items()))


def _named() -> dict[Version, str]:
    named = {}
    for executable in filter(None, os.environ.get(NAMED, "").split(os.pathsep)):
        version = _version_of(executable)
        assert version in SUPPORTED, f"{NAMED} names {executable}, which is no Python of a supported version that runs"
        named[version] = executable
    return named


def name_of(version: Version) -> str:
    """A version as ``3.12``."""
    return ".".join(map(str, version))


def _candidates(version: Version) -> Iterator[str]:
    name = f"python{name_of(version)}"
    on_path = shutil.which(name)
    if on_path:
        yield on_path
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for folder in (Path(sys.prefix).parent, Path(sys.base_prefix).parent, pyenv):
        for beside in sorted(folder.glob(f"*/bin/{name}")):
            yield str(beside)


def _version_of(executable: str) -> Version | None:
    command = [executable, "-c", "import sys; print(*sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        return None
    if done.returncode != 0:
        return None  # such as a launcher for a version that is not switched on
    major, minor = done.stdout.split()
    return int(major), int(minor)


def ask(executable: str, module: str, request: Any) -> Any:
    """Run ``python -m module`` of this repository with a request on stdin; its answer from stdout. Both are JSON."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [executable, "-W", "ignore", "-m", module],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        cwd=REPOSITORY,
        env=environment,
        timeout=300,
    )
    assert done.returncode == 0, f"{executable} -m {module}\n{done.stderr}"
    return json.loads(done.stdout.splitlines()[-1])
