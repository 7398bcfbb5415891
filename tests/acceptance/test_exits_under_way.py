"""Programs that are killed while a reopenable object of theirs is being closed: that is saved, and it is closed again."""

from __future__ import annotations

import pytest

from tests.harness.processes import KILLED, Desk

STEPS = """
    import asyncio, os
    import httpx

    SEEN = []

    class SlowToClose(httpx.AsyncBaseTransport):
        async def aclose(self):
            SEEN.append("closing")
            await asyncio.sleep(0.3)

    async def until_closing():
        while not SEEN:
            await asyncio.sleep(0.01)
        with open("effects", "a") as effects:
            effects.write("seen\\n")

    async def die():
        await asyncio.sleep(0)
        if "KILL" in os.environ:
            os.kill(os.getpid(), 9)
"""

PROGRAM = """
    # durable: on
    import asyncio
    import httpx
    from steps import SlowToClose, die, until_closing

    async def watch():
        await until_closing()
        await die()

    async def main():
        async with asyncio.TaskGroup() as group:
            group.create_task(watch())
            BODY
        print("closed:", client.is_closed)

    asyncio.run(main())
"""

BLOCK = """async with httpx.AsyncClient(transport=SlowToClose()) as client:
                await asyncio.sleep(0)"""

CALL = """client = httpx.AsyncClient(transport=SlowToClose())
            await asyncio.sleep(0)
            await client.aclose()"""


@pytest.mark.parametrize("body", [BLOCK, CALL], ids=["block", "call"])
def test_saved_while_it_is_closed(desk: Desk, body: str) -> None:
    """What another task has done meanwhile is not done again."""
    desk.write("steps.py", STEPS)
    desk.write("main.py", PROGRAM.replace("BODY", body))
    first = desk.start("main.py", variables={"KILL": "1"}).end()
    assert first.status == KILLED
    assert "held" not in first.said
    done = desk.start("main.py").end()
    assert (done.status, done.out) == (0, "closed: True\n"), done
    assert (desk.folder / "effects").read_text() == "seen\n"
