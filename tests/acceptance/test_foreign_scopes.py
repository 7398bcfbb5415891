"""Scopes of anyio that a library enters in a step, in a program that uses anyio itself: they are no part of its state."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.harness.killing import last_line, lives
from tests.harness.processes import Desk

PROGRAM = """
    # durable: on
    import asyncio
    import sys

    import anyio
    import waits
    from world import effect

    async def others():
        for name in "abc":
            await effect(name)
        open("go", "w").close()

    async def main():
        task = asyncio.create_task(others())
        OUTER:
            said = await waits.WAITS()
        with anyio.move_on_after(0.01) as inner:
            await anyio.sleep(60)
        await task
        print(said, inner.cancelled_caught)

    asyncio.run(main())
"""
WAITS = """
    import os

    import anyio

    async def until_gone():
        while not os.path.exists("go"):
            await anyio.sleep(0.01)

    async def in_scope():
        with anyio.CancelScope():
            await until_gone()
        return "it has waited"

    async def with_timeout():
        with anyio.fail_after(60), anyio.move_on_after(60):
            await until_gone()
        return "it has waited"

    async def in_group():
        async with anyio.create_task_group() as group:
            group.start_soon(until_gone)
            await until_gone()
        return "it has waited"
"""
OUTER = {"in a scope": "with anyio.fail_after(60)", "in a group": "async with anyio.create_task_group()", "in none": "if True"}


@pytest.mark.slow
@pytest.mark.parametrize(("outer", "waits"), [*((outer, "in_scope") for outer in OUTER), ("in a scope", "with_timeout"),
                                              ("in a group", "in_group")])  # fmt: skip
def test_scope_of_a_step_in_flight(desk: Desk, outer: str, waits: str) -> None:
    """The instance is saved meanwhile; after a kill the step is made again, and the program's own scopes are as they were."""
    program = PROGRAM.replace("OUTER", OUTER[outer]).replace("WAITS", waits)
    done = lives(desk, {"program.py": dedent(program), "waits.py": dedent(WAITS)}, 1, 3)
    assert (done.status, last_line(done.out)) == (0, "it has waited True"), done
    assert desk.effects == ["a", "a", "b", "b", "c"]
    assert "held" not in done.err
