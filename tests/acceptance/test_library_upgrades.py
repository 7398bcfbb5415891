"""A library that is rewritten with the program is upgraded while frames of it are in flight: pinned or moved like others."""

from __future__ import annotations

import os
import sys

import pytest

from tests.harness.crash import environment
from tests.harness.processes import KILLED, Desk, Finished

FLOWS = """
    # durable: on
    import flowlib
    from durable_import import wait_for_event

    async def main():
        async with flowlib.scope() as scope:
            found = await flowlib.retried(lambda: wait_for_event("go"), scope)
        return found, scope.log
"""
LIBRARY = """
    class Scope:
        def __init__(self):
            self.log = []

        async def __aenter__(self):
            return self

        async def __aexit__(self, *error):
            self.log.append("left")

    def scope():
        return Scope()

    def worded(value):
        return f"1.0 {value}"

    async def retried(make, scope, times=3):
        for attempt in range(times):
            scope.log.append(attempt)
            try:
                value = await make()
            except OSError:
                continue
            return worded(value)
"""
PATCHED = LIBRARY.replace("1.0", "1.1").replace(
    "return worded(value)", 'scope.log.append("done")\n            return worded(value)'
)
REBUILT = (
    PATCHED.replace("value = await make()", "value = await _once(make)")
    + "\n    async def _once(make):\n        return await make()\n"
)
APP = """
    import asyncio, os, sys
    import durable_import
    durable_import.install(["flowlib", "flowlib.*"])
    import flows

    async def main(what, policy):
        async with durable_import.DurableRuntime("sqlite:///app.db", on_change=policy, max_attempts=1) as runtime:
            if what == "begin":
                handle = await runtime.start(flows.main, instance_id="a")
                while (await handle.info()).status != "waiting":
                    await asyncio.sleep(0.02)
                os.kill(os.getpid(), 9)
            await runtime.recover()
            await runtime.handle("a").send("go", 7)
            try:
                print(*await runtime.handle("a").result())
            except durable_import.DurableError as error:
                print(type(error).__name__)

    asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("upgrade", "policy", "verdict", "out"),
    [
        (PATCHED, "pin", "pinned", "1.0 7 [0, 'left']"),
        (PATCHED, "move", "moves", "1.1 7 [0, 'done', 'left']"),
        (REBUILT, "pin", "pinned", "1.0 7 [0, 'left']"),
        (REBUILT, "move", "cannot", "CodeChangedError"),
    ],
)
def test_a_patch_release(desk: Desk, upgrade: str, policy: str, verdict: str, out: str) -> None:
    """As `check` says before; the library lies in a folder of installed packages."""
    packages = desk.folder / "lib" / "site-packages"

    def python(*arguments: str) -> Finished:
        path = os.pathsep.join([str(packages), environment()["PYTHONPATH"]])
        return desk.start_command([sys.executable, *arguments], PYTHONPATH=path).end()

    desk.write("lib/site-packages/flowlib/__init__.py", LIBRARY)
    desk.write("flows.py", FLOWS)
    desk.write("app.py", APP)
    assert python("app.py", "begin", policy).status == KILLED
    desk.write("lib/site-packages/flowlib/__init__.py", upgrade)
    looked = python("-m", "durable_import", "check", "--store", "sqlite:///app.db", "--on-change", policy)
    assert f"  {verdict}  " in looked.out, looked
    ended = python("app.py", "end", policy)
    assert ended.out.strip() == out, ended
