"""What `check` says of the instances of an application is what becomes of them when it is started again."""

from __future__ import annotations

import json
import sys

import pytest

from tests.harness.processes import KILLED, Desk

FLOWS = """
    # durable: on
    import asyncio
    import durable_import

    async def as_it_is():
        await asyncio.sleep(1)
        return "as it is"

    async def pinned():
        await asyncio.sleep(1)
        return "old"

    @durable_import.on_change("move")
    async def moved():
        await asyncio.sleep(1)
        return "old"

    @durable_import.on_change("refuse")
    async def refused():
        await asyncio.sleep(1)
        return "old"
"""
APP = """
    import asyncio, os, sys
    import durable_import
    durable_import.install()
    import flows

    NAMES = ("as_it_is", "pinned", "moved", "refused")

    async def main():
        async with durable_import.DurableRuntime("sqlite:///app.db", max_attempts=1) as runtime:
            if sys.argv[1:] == ["begin"]:
                handles = [await runtime.start(getattr(flows, name), instance_id=name) for name in NAMES]
                while any([(await handle.info()).checkpoint < 1 for handle in handles]):
                    await asyncio.sleep(0.05)
                os.kill(os.getpid(), 9)
            await runtime.recover()
            for name in NAMES:
                try:
                    print(name, await runtime.handle(name).result())
                except Exception as error:
                    print(name, type(error).__name__)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_each_by_its_own_policy(desk: Desk) -> None:
    """The default is pinned; `on_change` is read from the text of today."""
    desk.write("flows.py", FLOWS)
    desk.write("app.py", APP)
    assert desk.start_command([sys.executable, "app.py", "begin"]).end().status == KILLED
    desk.write("flows.py", FLOWS.replace('"old"', '"new"'))
    command = [sys.executable, "-m", "durable_import", "check", "--store", "sqlite:///app.db", "--json", "flows"]
    looked = desk.start_command(command).end()
    found = {each["id"]: each["verdict"] for each in json.loads(looked.out)["instances"]}
    assert found == {"as_it_is": "same", "pinned": "pinned", "moved": "moves", "refused": "cannot"}
    assert looked.status == 1
    ended = desk.start_command([sys.executable, "app.py"]).end()
    lines = dict(line.split(" ", 1) for line in ended.out.splitlines())
    assert lines == {"as_it_is": "as it is", "pinned": "old", "moved": "new", "refused": "CodeChangedError"}, ended
