"""``attempt``: how often a step, or the body of a hold, has begun, under real kills and suspensions in the middle of it."""

from __future__ import annotations

import pytest

from tests.harness.processes import KILLED, Desk

DEEDS = """
    import asyncio
    import contextlib
    import os
    import signal

    from durable_import import attempt

    def note(name, times):
        with open("lives", "a") as log:
            log.write(f"{name} {times}\\n")
        if os.environ.get("DIE_IN") == name:
            os.kill(os.getpid(), signal.SIGKILL)

    async def step(name):
        note(name, attempt())
        await asyncio.to_thread(note, f"thread of {name}", attempt())

    async def wait_for_file(name):
        note(name, attempt())
        while not os.path.exists("go"):
            await asyncio.sleep(0.01)
        return attempt()

    @contextlib.asynccontextmanager
    async def transaction():
        yield
"""

ONE = """
    # durable: on
    import asyncio
    import os
    import sys

    import deeds
    from durable_import import attempt

    async def main():
        deeds.note("first", attempt())
        await deeds.step("one")
        deeds.note("between", attempt())
        await deeds.step("two")
        async with deeds.transaction():
            deeds.note("body", attempt())
            await deeds.step("inside")
            deeds.note("body, later", attempt())
        deeds.note("behind", attempt())
        await deeds.step("three")

    asyncio.run(main())
"""


def lives(desk: Desk) -> list[str]:
    """What was noted since this was last asked."""
    path = desk.folder / "lives"
    noted = path.read_text().splitlines()
    path.unlink()
    return noted


def die_in(desk: Desk, name: str) -> list[str]:
    """Go on until the program is killed where it notes this name."""
    ended = desk.run("one.py", variables={"DIE_IN": name})
    assert ended.status == KILLED, ended
    return lives(desk)


def write(desk: Desk) -> None:
    desk.write("deeds.py", DEEDS)
    desk.write("one.py", ONE)


@pytest.mark.slow
def test_each_life_is_counted(desk: Desk) -> None:
    """In a program's first step, in a later one and its thread, and in the body of a hold, but not for what follows."""
    write(desk)
    assert die_in(desk, "one") == ["first 1", "one 1"]
    assert die_in(desk, "first") == ["first 2"]
    assert die_in(desk, "thread of one") == ["first 3", "one 3", "thread of one 3"]
    assert die_in(desk, "between") == ["first 4", "one 4", "thread of one 4", "between 1"]
    assert die_in(desk, "two") == ["between 2", "two 2"]
    assert die_in(desk, "thread of two") == ["between 3", "two 3", "thread of two 3"]
    assert die_in(desk, "body, later")[3:] == ["body 1", "inside 1", "thread of inside 1", "body, later 1"]
    assert die_in(desk, "inside") == ["body 2", "inside 2"]
    assert die_in(desk, "thread of inside") == ["body 3", "inside 3", "thread of inside 3"]
    assert die_in(desk, "behind")[-2:] == ["body, later 4", "behind 1"]
    ended = desk.run("one.py")
    assert (ended.status, lives(desk)) == (0, ["behind 2", "three 1", "thread of three 1"]), ended
