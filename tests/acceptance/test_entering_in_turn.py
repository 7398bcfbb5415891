"""Blocks of libraries that are just being entered when the process dies: they are entered again, each task in its turn."""

from __future__ import annotations

import pytest

from tests.harness.killing import killed_at
from tests.harness.processes import Desk

LIBRARY = "site-packages/sdk.py"
SDK = """
    import asyncio, contextlib, socket
    from world import effect

    class Body:
        def __init__(self):
            self.socket = socket.socket()
        async def __aenter__(self):
            await effect("entering")
            self.text = "text"
            return self
        async def __aexit__(self, *details):
            self.socket.close()

    async def get():
        await asyncio.sleep(0)
        return Body()

    class Pool:
        def __init__(self):
            self.free = asyncio.Semaphore(1)
        @contextlib.asynccontextmanager
        async def connection(self):
            async with self.free:
                await effect("taken")
                yield socket
    pool = Pool()
"""
HEAD = """\
# durable: on
import asyncio, os, sys
sys.path.insert(0, os.path.abspath("site-packages"))
import sdk
from world import effect
"""

READ = """
class Answers:
    pass

async def main():
    answer = {"body": await sdk.get()}
    async with answer["body"] as body:
        await effect("inside")
    answers = Answers()
    answers.last = await sdk.get()
    async with answers.last as last:
        await effect("inside")
    return body.text, last.text

print(asyncio.run(main()))
"""

IN_TURN = """
async def work(task):
    for number in range(2):
        async with sdk.pool.connection():
            await effect(f"{task} {number}")
    return task

async def main():
    return await asyncio.gather(*(work(task) for task in range(3)))

print(asyncio.run(main()))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "places"), [pytest.param(READ, (1, 3, (1, 4)), id="read"), pytest.param(IN_TURN, (1, 2, (3, 7)), id="in-turn")]
)
def test_killed_while_entering(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """What an expression reads is not taken for what it makes; a task that has to wait for another one lets that go on."""
    for done in killed_at(desk, {"enter.py": HEAD + program, LIBRARY: SDK}, *places):
        assert done.err == ""
