"""Which variable is named when what cannot be saved is in a generator, or beside one that leads to it through a task."""

from __future__ import annotations

import pytest

from tests.harness.processes import Desk

OUTSIDE = """
import socket

class Live:
    def __init__(self):
        self.sockets = socket.socketpair()

    def __enter__(self):
        return self

    def __exit__(self, *details):
        for each in self.sockets:
            each.close()
"""
BESIDE = """
async def numbers():
    with anyio.CancelScope():
        yield 1

async def main():
    async for number in numbers():
        with outside.Live():
            await asyncio.sleep(0.01)
"""
INSIDE = """
async def numbers():
    live = outside.Live()
    yield 1
    print(live)

async def main():
    async for number in numbers():
        await asyncio.sleep(0.01)
"""
SYNCHRONOUS = """
def numbers():
    live = outside.Live()
    yield 1
    print(live)

async def main():
    for number in numbers():
        await asyncio.sleep(0.01)
"""
NOT_BEGUN = """
async def work(live):
    print(live)

async def main():
    begun = work(outside.Live())
    await asyncio.sleep(0.01)
    await begun
"""


@pytest.mark.parametrize(
    ("program", "path"),
    [
        (BESIDE, "the manager of a with block.sockets[0]"),
        (INSIDE, "the iterator of a loop.live.sockets[0]"),
        (SYNCHRONOUS, "the iterator of a loop.live.sockets[0]"),
        (NOT_BEGUN, "begun.live.sockets[0]"),
    ],
    ids=["beside", "inside", "synchronous", "not begun"],
)
def test_path_leads_to_what_cannot_be_saved(desk: Desk, program: str, path: str) -> None:
    """It leads through a generator that has it, and not to one from which there is only a way back by a task."""
    desk.write("outside.py", OUTSIDE)
    desk.write(
        "program.py", "# durable: on\nimport asyncio\nimport anyio\nimport outside\n" + program + "\nasyncio.run(main())\n"
    )
    done = desk.run("--hold-limit", "0", "program.py")
    assert done.status == 70, done
    assert f"variable `{path}` of instance" in done.said, done
