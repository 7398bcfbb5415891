"""Pythons that nobody has seen: another version number, private names of the library that are gone, a rewriter that fails.

Run with a version (such as 3.16.0, or ``-`` for the real one) and names, it tells for each name, in a process of its own, what
becomes of a marked module and of a runtime when it is gone; without names, when all are there.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import traceback
import types
from collections import namedtuple
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.harness.crash import environment

MARKED = """# durable: on
import asyncio
import durable_import

class Shop:
    async def total(self, upto):
        found = 0
        for i in range(upto):
            await asyncio.sleep(0)
            found += i
        return found
"""
VersionInfo = namedtuple("VersionInfo", "major minor micro releaselevel serial")


def pretend(version: str) -> None:
    """Be of another version."""
    fake: Any = VersionInfo._make([*map(int, version.split(".")), "final", 0])
    sys.version_info = fake


def hide(name: str) -> None:
    """Make a module be without a name for durable_import, as if its author had given it another one everywhere."""
    owner, _, hidden = name.rpartition(".")
    module: Any = import_module(owner)

    class Hiding(types.ModuleType):
        def __getattribute__(self, attribute: str) -> Any:
            asking = sys._getframe(1).f_globals["__name__"]
            if attribute == hidden and asking.startswith("durable_import."):
                raise AttributeError(f"module {owner!r} has no attribute {attribute!r}")
            return super().__getattribute__(attribute)

    module.__class__ = Hiding


def outcome(folder: str) -> dict[str, Any]:
    """What becomes of a marked module, and of a runtime."""
    sys.path.insert(0, folder)
    import durable_import

    durable_import.install()
    shop: Any = import_module("marked_shop")
    told = {"plain": asyncio.run(shop.Shop().total(4))}
    try:
        from durable_import import DurableRuntime

        async def run() -> Any:
            async with DurableRuntime("memory:") as runtime:
                return await runtime.run(shop.Shop().total, 5)

        return told | {"durable": asyncio.run(run())}
    except durable_import.UnsupportedPythonError as error:
        return told | {"refused": str(error)}


def tell(version: str, name: str | None, folder: str) -> None:
    """Print the outcome; what is raised as a traceback."""
    try:
        if version != "-":
            pretend(version)
        if name is not None:
            hide(name)
        told = outcome(folder)
    except BaseException:
        told = {"traceback": traceback.format_exc()}
    print(json.dumps(told), flush=True)


def main(version: str, *names: str) -> None:
    """Each in a fork: what the library has imported is there already."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "marked_shop.py").write_text(MARKED)
        for name in names or [None]:
            child = os.fork()
            if child == 0:
                tell(version, name, folder)
                os._exit(0)
            os.waitpid(child, 0)


def outcomes(version: str, *names: str) -> list[dict[str, Any]]:
    """What the script tells."""
    command = [sys.executable, "-W", "ignore", "-m", __name__, version, *names]
    ended = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=300, check=True)
    return [json.loads(line) for line in ended.stdout.splitlines()]


if __name__ == "__main__":
    main(*sys.argv[1:])
