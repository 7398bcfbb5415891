"""Holds of several tasks beside each other, in stacks and generators of managers, and what stops an instance inside of one."""

from __future__ import annotations

import sys

import pytest

from tests.harness.killing import killed_at, last_line
from tests.harness.processes import KILLED, Desk

pytestmark = pytest.mark.slow

LIBRARY = "site-packages/ledger.py"
# a transaction of a library that nothing is known of: what is added in one is in the file when it ends, once
LEDGER = """
    import asyncio, contextlib, os

    def rows():
        return open("rows").read().split() if os.path.exists("rows") else []

    class Transaction:
        def __init__(self, slow=0):
            self.slow = slow
        async def __aenter__(self):
            await asyncio.sleep(self.slow)
            self.rows = []
            return self
        def add(self, row):
            self.rows.append(str(row))
        async def __aexit__(self, *details):
            await asyncio.sleep(0)
            if details[0] is None:
                with open("rows", "a") as file:
                    file.write(" ".join(self.rows) + " ")
            else:
                print("rolled back", flush=True)

    @contextlib.asynccontextmanager
    async def transaction():
        await asyncio.sleep(0)
        inside = Transaction()
        await inside.__aenter__()
        try:
            yield inside
        except BaseException as error:
            await inside.__aexit__(type(error), error, None)
            raise
        else:
            await inside.__aexit__(None, None, None)
"""
HEAD = """\
# durable: on
import asyncio, contextlib, os, sys
sys.path.insert(0, os.path.abspath("site-packages"))
import ledger
from world import effect
"""


def files(text: str) -> dict[str, str]:
    from textwrap import dedent

    return {"blocks.py": HEAD + dedent(text), LIBRARY: LEDGER}


EXIT_STACK = """
    async def main():
        for first in (1, 3):
            async with contextlib.AsyncExitStack() as stack:
                tx = await stack.enter_async_context(ledger.Transaction())
                tx.add(first)
                await effect(f"inside {first}")
                tx.add(first + 1)
                await effect(f"inside {first + 1}")
            await effect(f"after {first}")
        return ledger.rows()

    print(asyncio.run(main()))
"""

POPPED_STACK = """
    async def opened():
        async with contextlib.AsyncExitStack() as stack:
            tx = await stack.enter_async_context(ledger.Transaction())
            tx.add(1)
            await effect("inside 1")
            return stack.pop_all(), tx

    async def main():
        await effect("before")
        stack, tx = await opened()
        tx.add(2)
        await effect("inside 2")
        await stack.aclose()
        await effect("after")
        return ledger.rows()

    print(asyncio.run(main()))
"""

GENERATOR = """
    async def numbers(first):
        async with ledger.Transaction() as tx:
            tx.add(first)
            yield first
            tx.add(first + 1)
            yield first + 1

    async def main():
        for first in (1, 3):
            async for number in numbers(first):
                await effect(f"inside {number}")
            await effect(f"after {first}")
        return ledger.rows()

    print(asyncio.run(main()))
"""

CONTEXT_MANAGER = """
    async def main():
        for first in (1, 3):
            async with ledger.transaction() as tx:
                tx.add(first)
                await effect(f"inside {first}")
                tx.add(first + 1)
                await effect(f"inside {first + 1}")
            await effect(f"after {first}")
        return ledger.rows()

    print(asyncio.run(main()))
"""

OWN_MANAGER = """
    class Unit:
        def __init__(self, first):
            self.first = first
        async def __aenter__(self):
            self.tx = ledger.Transaction()
            await self.tx.__aenter__()
            self.tx.add(self.first)
            return self.tx
        async def __aexit__(self, *details):
            return await self.tx.__aexit__(*details)

    @contextlib.asynccontextmanager
    async def unit(first):
        async with ledger.Transaction() as tx:
            tx.add(first)
            yield tx

    async def main():
        for first in (1, 3):
            async with unit(first) as tx:
                await effect(f"inside {first}")
                tx.add(first + 1)
                await effect(f"inside {first + 1}")
            await effect(f"after {first}")
        return ledger.rows()

    print(asyncio.run(main()))
"""

SIDE_BY_SIDE = """
    async def add(number):
        async with ledger.Transaction() as tx:
            tx.add(number)
            await effect("inside")
            await asyncio.sleep(0.01 * number)
            tx.add(number)
            await effect("inside")
        await effect("after")

    async def main():
        async with asyncio.TaskGroup() as group:
            for number in range(1, 5):
                group.create_task(add(number))
        return sorted(ledger.rows())

    print(asyncio.run(main()))
"""


@pytest.mark.parametrize(
    ("program", "places"),
    [
        pytest.param(EXIT_STACK, (1, 2, (2, 5)), id="exit-stack"),
        pytest.param(POPPED_STACK, (2, 3, 4), id="popped-stack", marks=pytest.mark.slow),
        pytest.param(GENERATOR, (1, 2, (2, 5)), id="async-generator"),
        pytest.param(CONTEXT_MANAGER, (1, 2, (2, 5)), id="library-context-manager"),
        pytest.param(OWN_MANAGER, (1, 2, (2, 5)), id="own-manager", marks=pytest.mark.slow),
    ],
)
def test_rows_of_blocks_of_other_forms(desk: Desk, program: str, places: tuple[int, ...]) -> None:
    """However a block of a library is opened, what it does is done as a whole."""
    killed_at(desk, files(program), *places)


def test_rows_of_tasks_side_by_side(desk: Desk) -> None:
    """A block that ended while others were open may run again, none is cut in two: rows come in whole pairs."""
    made = files(SIDE_BY_SIDE)
    for name, text in made.items():
        desk.write(name, text)
    for kill in (3, 8, 14):
        assert desk.run("blocks.py", kill_at=kill).status == KILLED
    done = desk.run("blocks.py")
    assert done.status == 0, done
    rows = [int(row) for row in (desk.folder / "rows").read_text().split()]
    assert all(rows.count(number) in (2, 4, 6, 8) for number in range(1, 5)), rows


def test_queue_between_two_blocks(desk: Desk) -> None:
    """A block that waits for what another task puts inside its own block gets it."""
    made = files(
        """
        async def take(queue):
            got = []
            for _ in range(10):
                async with ledger.Transaction() as tx:
                    got.append(await queue.get())
                    tx.add(got[-1])
            return got

        async def give(queue):
            for number in range(10):
                async with ledger.Transaction():
                    await asyncio.sleep(0.1)
                    queue.put_nowait(number)

        async def main():
            queue = asyncio.Queue()
            got, _ = await asyncio.gather(take(queue), give(queue))
            return got

        print(asyncio.run(main()))
        """
    )
    for name, text in made.items():
        desk.write(name, text)
    done = desk.run("blocks.py")
    assert (done.status, done.out) == (0, f"{list(range(10))}\n"), done


@pytest.mark.slow
def test_overlapping_blocks_do_not_keep_from_saving(desk: Desk) -> None:
    """Twenty tasks, of which always some are in a block, are saved now and then all the same, and a kill loses little."""
    made = files(
        """
        async def work(number):
            for _ in range(40):
                async with ledger.Transaction() as tx:
                    tx.add(number)
                    await asyncio.sleep(0.1)
                await effect("block")

        async def main():
            async with asyncio.TaskGroup() as group:
                for number in range(20):
                    group.create_task(work(number))
            return len(ledger.rows()) >= 800

        print(asyncio.run(main()))
        """
    )
    for name, text in made.items():
        desk.write(name, text)
    running = desk.start("blocks.py")
    seen: list[int] = []

    def three_more() -> bool:
        number = max((int(str(checkpoint)) for _, _, checkpoint in desk.instances()), default=0)
        if number and (not seen or number > seen[-1]):
            seen.append(number)
        return len(seen) >= 4

    running.wait_until(three_more)
    running.stop()
    done = desk.run("blocks.py")
    assert (done.status, last_line(done.out)) == (0, "True"), done
    assert 800 <= desk.effects.count("block") <= 800 + 400, len(desk.effects)


APP = """
    import asyncio, os, sys
    sys.path.insert(0, os.path.abspath("site-packages"))
    import durable_import
    durable_import.install()
    import blocks

    async def main():
        runtime = durable_import.DurableRuntime("sqlite:///app.db")
        await runtime.__aenter__()
        handle = await runtime.start(getattr(blocks, sys.argv[2]), instance_id="it")
        while not os.path.exists("inside"):
            await asyncio.sleep(0.01)
        if sys.argv[1] == "cancel":
            await handle.cancel()
            try:
                await handle.result()
            except BaseException as error:
                print(type(error).__name__)
        await runtime.__aexit__(None, None, None)
        print("closed")

    asyncio.run(main())
"""

BLOCKS = """
    async def inside():
        try:
            async with ledger.Transaction() as tx:
                tx.add(1)
                open("inside", "w").close()
                await asyncio.sleep(3600)
        finally:
            print("finally")

    async def entering():
        try:
            open("inside", "w").close()
            async with ledger.Transaction(3600):
                pass
        finally:
            print("finally")

    async def step():
        try:
            async with ledger.Transaction() as tx:
                open("inside", "w").close()
                await ledger.asyncio.to_thread(lambda: None)
                await ledger.Transaction(3600).__aenter__()
        finally:
            print("finally")
"""


@pytest.mark.parametrize("where", ["inside", "entering", "step"])
def test_cancel_acts_at_once(desk: Desk, where: str) -> None:
    """`cancel()` reaches a block that holds, one that is being entered, and a step inside; the program's own blocks run."""
    out = stopped(desk, "cancel", where)
    assert out == [*(["rolled back"] if where != "entering" else []), "finally", "InstanceCancelledError", "closed"], out


@pytest.mark.parametrize("where", ["inside", "entering", "step"])
def test_close_acts_at_once(desk: Desk, where: str) -> None:
    """A runtime that closes leaves the managers of its instances; the program's own `finally` does not run."""
    out = stopped(desk, "close", where)
    assert out == [*(["rolled back"] if where != "entering" else []), "closed"], out


def stopped(desk: Desk, how: str, where: str) -> list[str]:
    for name, text in {**files(BLOCKS), "app.py": APP}.items():
        desk.write(name, text)
    ended = desk.start_command([sys.executable, "app.py", how, where]).end()
    assert ended.status == 0, ended
    assert "Task was destroyed" not in ended.err
    return ended.out.splitlines()


SHORT_BLOCKS = """
    import contextlib

    async def work(task):
        for number in range(60):
            async with ledger.Transaction() as tx:
                await effect(f"{task} {number}")
                await asyncio.sleep(0.05)

    async def main():
        async with asyncio.TaskGroup() as group:
            for task in range(20):
                group.create_task(work(task))
        return "done"

    print(asyncio.run(main()))
"""


def test_short_blocks_of_many_tasks_let_checkpoints_be_made(desk: Desk) -> None:
    """Blocks that sleep wait for nobody: the doors close now and then, and a kill does not make everything run again."""
    for name, text in files(SHORT_BLOCKS).items():
        desk.write(name, text)
    assert desk.run("blocks.py", kill_at=900).status == KILLED
    done = desk.run("blocks.py")
    assert (done.status, last_line(done.out)) == (0, "done"), done
    assert len(desk.effects) < 900 + 1200 - 300
