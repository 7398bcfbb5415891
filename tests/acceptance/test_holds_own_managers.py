"""Managers of a user's own module, which is not marked, that cannot be pickled."""

from __future__ import annotations

import pytest

from tests.harness.processes import KILLED, Desk

OWN = """
    import sys

    class Block:
        def __init__(self):
            self.frame = sys._getframe()

        async def __aenter__(self):
            return self

        async def __aexit__(self, *details):
            pass

    class Plain:
        def __init__(self):
            self.frame = None

        async def __aenter__(self):
            return self

        async def __aexit__(self, *details):
            self.frame = None
"""

TASKS = """
    # durable: on
    import asyncio, os, time
    from own import Block

    def note(name):
        with open("blocks", "a") as log:
            log.write(f"{name}\\n")
            if "KILL" in os.environ and log.tell() >= 50 * len("0.00 "):
                log.flush()
                os.kill(os.getpid(), 9)

    async def work(task):
        for number in range(15):
            async with Block():
                note(f"{task}.{number:02}")
                await asyncio.sleep(0.1)
            await asyncio.sleep(0)

    async def main():
        async with asyncio.TaskGroup() as group:
            for task in range(5):
                group.create_task(work(task))

    asyncio.run(main())
"""

LONG = """
    # durable: on
    import asyncio, os, sys, time
    from own import Plain

    async def main():
        done = []
        async with Plain() as plain:
            plain.frame = sys._getframe()
            await asyncio.sleep(0.05)
            plain.frame = None
            await asyncio.sleep(0.05)
        async with Plain() as plain:
            end = time.monotonic() + 5.5
            while time.monotonic() < end:
                await asyncio.sleep(0.05)
            with open("steps", "a") as log:
                log.write("last\\n")
            await asyncio.sleep(0)
            if "KILL" in os.environ:
                os.kill(os.getpid(), 9)
        print(type(plain).__name__)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_saved_between_blocks(desk: Desk) -> None:
    """Where one is open at nearly every moment, tasks wait now and then until all is saved."""
    desk.write("own.py", OWN)
    desk.write("main.py", TASKS)
    assert desk.start("main.py", variables={"KILL": "1"}).end().status == KILLED
    done = desk.start("main.py").end()
    assert done.status == 0, done
    blocks = (desk.folder / "blocks").read_text().split()
    assert len(set(blocks)) == 75
    assert blocks.count("0.00") == 1, "the first blocks were saved"


@pytest.mark.slow
def test_one_that_can_be_saved_after_all(desk: Desk) -> None:
    """A manager of a class of which another one could not be saved holds for a while only."""
    desk.write("own.py", OWN)
    desk.write("main.py", LONG)
    assert desk.start("main.py", variables={"KILL": "1"}).end().status == KILLED
    done = desk.start("main.py").end()
    assert (done.status, done.out) == (0, "Plain\n"), done
    assert (desk.folder / "steps").read_text() == "last\n"
