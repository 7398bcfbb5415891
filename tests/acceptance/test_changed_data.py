"""Programs that are killed, and go on with classes that were edited meanwhile."""

from __future__ import annotations

from tests.harness.processes import KILLED, Desk

PROGRAM = """
    # durable: on
    import asyncio
    import tiers
    from world import effect

    async def main():
        tier, may = tiers.Tier.SILVER, tiers.May.READ | tiers.May.ASK
        await effect("saved")
        await effect("killed")
        print(tier.name, tier.value, may == tiers.May.READ | tiers.May.ASK)

    asyncio.run(main())
"""


def killed(desk: Desk, text: str) -> None:
    """The program, killed while it holds objects of the module ``tiers``."""
    desk.write("program.py", PROGRAM)
    desk.write("tiers.py", text)
    ended = desk.run("program.py", kill_at=2)
    assert ended.status == KILLED, ended


TIERS = """
    import enum

    class Tier(enum.Enum):
        SILVER = 1
        GOLD = 2

    class May(enum.Flag):
        READ = 1
        ASK = 2
"""


def test_values_of_enums_may_shift(desk: Desk) -> None:
    """The names count."""
    killed(desk, TIERS)
    desk.write("tiers.py", TIERS.replace("SILVER = 1", "BRONZE = 1; SILVER = 7").replace("READ = 1", "SHOW = 1; READ = 4"))
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "SILVER 7 True\n", "")


def test_a_member_that_is_gone(desk: Desk) -> None:
    """The run ends with a line to add; with that it goes on."""
    killed(desk, TIERS)
    tiers = TIERS.replace("SILVER = 1", "PLATIN = 1").replace("GOLD = 2", "GOLD = 2; SILVERY = 3")
    desk.write("tiers.py", tiers)
    refused = desk.run("program.py")
    line = 'durable_import.renamed("tiers:Tier.SILVER", "tiers:Tier.PLATIN")'
    assert refused.status == 70
    assert "tiers.py:3: the saved state has Tier.SILVER (value 1)" in refused.said
    assert line in refused.said
    desk.write("tiers.py", tiers + f"\n    import durable_import\n    {line}\n")
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "PLATIN 1 True\n", "")
