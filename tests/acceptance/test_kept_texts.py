"""An application that is deployed again and again keeps the texts that its instances need, and no others."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing

import pytest

from tests.harness.processes import KILLED, Desk

FLOWS = """
    # durable: on
    import asyncio
    import durable_import

    def said():
        return "VERSION"

    async def long():
        await durable_import.wait_for_event("go")
        return "long VERSION, " + said()

    async def short():
        await asyncio.sleep(0.01)
        return said()
"""
APP = """
    import asyncio, os, sys
    import durable_import
    durable_import.install()
    import flows

    async def main():
        async with durable_import.DurableRuntime("sqlite:///app.db", evict_after=0.1) as runtime:
            if sys.argv[1] == "begin":
                handle = await runtime.start(flows.long, instance_id="long")
                while (await handle.info()).status != "waiting":
                    await asyncio.sleep(0.02)
            print(await runtime.run(flows.short, instance_id=f"short {sys.argv[1]}"), flush=True)
            if sys.argv[1] == "end":
                await runtime.handle("long").send("go")
                print(await runtime.handle("long").result(), flush=True)
            else:
                await runtime.delete(f"short {sys.argv[1]}")
            os.kill(os.getpid(), 9)

    asyncio.run(main())
"""


def texts(desk: Desk) -> str:
    """All that is kept of the program."""
    with closing(sqlite3.connect(desk.folder / "app.db")) as connection:
        return "\n".join(text for (text,) in connection.execute("SELECT text FROM durable_source"))


def grow_old(desk: Desk) -> None:
    """As if two days had gone by since the last process was killed."""
    with closing(sqlite3.connect(desk.folder / "app.db")) as connection, connection:
        connection.execute("UPDATE durable_source SET saved_at = saved_at - 2 * 86400.0")


@pytest.mark.slow
def test_deploy_after_deploy(desk: Desk) -> None:
    """The texts of the first are there as long as somebody waits in it; those in between go, and the last ones stay."""
    desk.write("app.py", APP)
    for number, word in enumerate(["begin", "2", "3", "end"]):
        desk.write("flows.py", FLOWS.replace("VERSION", f"version {number}"))
        ended = desk.start_command([sys.executable, "app.py", word]).end()
        assert ended.status == KILLED, ended
        grow_old(desk)
        found = texts(desk)
        assert {each for each in range(4) if f"version {each}" in found} == {0, number}, word
    assert ended.out.splitlines() == ["version 3", "long version 0, version 0"]
    assert desk.start_command([sys.executable, "app.py", "last"]).end().status == KILLED
    assert "version 0" not in texts(desk)
