"""Data of the state whose names today's module does not have any more are there for the code of then that goes on."""

from __future__ import annotations

import pytest

from tests.harness.processes import KILLED, Desk

PROGRAM = """
    # durable: on
    import asyncio
    import flows
    asyncio.run(flows.main())
"""
FLOWS = """
    # durable: on
    from collections import defaultdict
    from world import effect

    class Cart:
        def __init__(self):
            self.rows = []

    shared = {"n": 0}
    groups = defaultdict(list)
    cart = Cart()
    count = 0
    stays = []

    def add(n):
        global count
        count += n
        shared["n"] += n
        groups["all"].append(n)
        cart.rows.append(n)
        stays.append(n)

    async def main():
        held = shared
        add(1)
        await effect("one")
        add(10)
        await effect("two")
        add(100)
        await effect("three")
        print(count, shared, dict(groups), cart.rows, stays, held is shared)
"""
TODAY = """
    # durable: on
    from world import effect

    class Cart:
        pass

    stays = []

    async def main():
        await effect("new")
"""


@pytest.mark.slow
def test_data_whose_names_are_gone(desk: Desk) -> None:
    """They are bound again, are what they were, and belong to the next checkpoints too: it is killed three times."""
    desk.write("program.py", PROGRAM)
    desk.write("flows.py", FLOWS)
    assert desk.run("program.py", kill_at=1).status == KILLED
    desk.write("flows.py", TODAY)
    for kill_at in (3, 5):
        assert desk.run("--old-code", "program.py", kill_at=kill_at).status == KILLED
    done = desk.run("--old-code", "program.py")
    said = "111 {'n': 111} {'all': [1, 10, 100]} [1, 10, 100] [1, 10, 100] True\n"
    assert (done.status, done.out, done.err) == (0, said, ""), (done, desk.effects)
