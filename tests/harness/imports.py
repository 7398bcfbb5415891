"""Modules to import, and what tests of the import hook see of it."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import durable_import
from durable_import.hook.finder import DurableFinder
from durable_import.hook.install import install, uninstall
from durable_import.hook.loader import RewritingLoader

DATA = Path(__file__).parent.parent / "unit" / "hook" / "data"  # a rewriter that only marks what it was given
REPOSITORY = Path(durable_import.__file__).parent.parent
COMPILER, REGISTRY = "durable_import.rewrite.compiler", "durable_import.hook.code_table"
RICH = '''# durable: on
"""A module."""
import asyncio
from dataclasses import dataclass

@dataclass
class Point:
    """A point."""
    x: int

def gen(n):
    yield from range(n)

async def main(n):
    """Doc."""
    total = 0
    for i in gen(n):
        await asyncio.sleep(0)
        total += Point(i).x
    return total
'''

PACKAGE: dict[str, str | bytes] = {
    "m_pkg/__init__.py": "# durable: on\nfrom . import a\nfrom .sub.b import y\n",
    "m_pkg/a.py": "# durable: on\nx = 1\n",
    "m_pkg/sub/__init__.py": "",
    "m_pkg/sub/b.py": '"""Doc."""\n# durable: on\nfrom ..a import x\ny = x + 1\ndef f():\n    return y\n',
    "m_pkg/data.txt": "data\n",
    "m_pkg/__main__.py": "# durable: on\nfrom m_pkg import y\nresult = (__name__, __package__, y)\nprint(result)\n",
}


class Rewriter:
    """What a test sees of the rewriter in use: its calls in order, as ("compile" or "register", module name)."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.registered: list[tuple[str, str, bytes, Any]] = []

    def compiled(self) -> list[str]:
        return [name for what, name in self.events if what == "compile"]


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files below ``folder``; the finders are told."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    importlib.invalidate_caches()


def fresh(name: str) -> types.ModuleType:
    """Import ``name`` again, as a new process would."""
    sys.modules.pop(name, None)
    importlib.invalidate_caches()
    return importlib.import_module(name)


def put_behind(monkeypatch: pytest.MonkeyPatch, finder: object) -> None:
    """Put somebody else's finder right behind ours for the time of the test."""
    assert isinstance(sys.meta_path[0], DurableFinder)
    others: list[Any] = sys.meta_path[1:]
    uninstall()
    monkeypatch.setattr(sys, "meta_path", [finder, *others])
    install()


def is_rewritten(module: types.ModuleType) -> bool:
    """Whether a rewriting loader loaded the module."""
    return module.__spec__ is not None and isinstance(module.__spec__.loader, RewritingLoader)


def caches(folder: Path) -> list[str]:
    """Names of the files of rewritten bytecode in the folder's cache."""
    return sorted(path.name for path in (folder / "__pycache__").glob("*durable*"))


def python(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run this Python with the project, the fake rewriter and ``cwd`` importable."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = os.pathsep.join([str(cwd), str(REPOSITORY), str(DATA)])
    environment.update(variables)
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


def error_of(action: Callable[[], object]) -> BaseException:
    """The exception that the action raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011  any error at all
        action()
    return caught.value


def imported_rewritten(name: str) -> types.ModuleType:
    """A marked module of the tests, rewritten."""
    install()
    return importlib.import_module(name)
