"""`check` says of classes in a saved state what loading it would say."""

from __future__ import annotations

import sys

import pytest

from tests.harness.processes import KILLED, Desk

PROGRAM = """
    # durable: on
    import asyncio
    from shapes import Order, Tier
    from world import effect

    async def main():
        held = [Order(1), Tier.GOLD, Tier.LEAD]
        await effect("saved")
        await effect("killed")
        print(held)

    asyncio.run(main())
"""
SHAPES = """
    import enum
    from dataclasses import dataclass

    class Tier(enum.Enum):
        GOLD = 1
        LEAD = 2

    @dataclass
    class Order:
        number: int
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (("number: int", "number: int\n        of: str = ''"), ""),
        (("number: int", "number: int\n        of: str"), "'Order' has the new field 'of', without a default"),
        (("LEAD = 2", "COPPER = 2"), "Tier.LEAD is saved, and is not there today"),
        (("LEAD = 2", "LEAD = 3"), ""),
    ],
)
def test_the_same_is_said_and_done(desk: Desk, edit: tuple[str, str], reason: str) -> None:
    """A field that has no default, and a member that is gone, are seen before."""
    desk.write("shapes.py", SHAPES)
    desk.write("program.py", PROGRAM)
    assert desk.run("program.py", kill_at=2).status == KILLED
    desk.write("shapes.py", SHAPES.replace(*edit))
    looked = desk.start_command([sys.executable, "-m", "durable_import", "check", "program.py"]).end()
    assert (looked.status, reason in looked.out) == (1 if reason else 0, True), looked
    assert (desk.run("program.py").status == 0) is not bool(reason)
