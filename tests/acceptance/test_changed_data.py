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


ORDERS = """
    # durable: on
    import asyncio
    import orders
    from world import effect

    async def main():
        held = [orders.Order(1), orders.Order(2)]
        await effect("saved")
        await effect("killed")
        print([(order.number, order.tier, order.items) for order in held])

    asyncio.run(main())
"""
ORDER = """
    import dataclasses

    @dataclasses.dataclass
    class Order:
        number: int
"""


def test_a_new_field(desk: Desk) -> None:
    """Without a default the run ends with an error that says where; with one it goes on."""
    desk.write("program.py", ORDERS)
    desk.write("orders.py", ORDER)
    assert desk.run("program.py", kill_at=2).status == KILLED
    items = "items: list = dataclasses.field(default_factory=list)"
    desk.write("orders.py", ORDER + f"        tier: int\n        {items}\n")
    refused = desk.run("program.py")
    assert refused.status == 70
    assert "orders.py:4: the saved state has objects of Order without the field 'tier'" in refused.said
    assert "; one is held[0] in main (" in refused.said
    desk.write("orders.py", ORDER + f"        tier: int = 3\n        {items}\n")
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "[(1, 3, []), (2, 3, [])]\n", "")


def test_a_module_and_a_class_with_other_names(desk: Desk) -> None:
    """They are found by what the program says."""
    desk.write("program.py", ORDERS.replace("order.tier, order.items", "type(order).__name__"))
    desk.write("orders.py", ORDER)
    assert desk.run("program.py", kill_at=2).status == KILLED
    desk.write("shop.py", ORDER.replace("class Order", "class Purchase"))
    says = 'durable_import.renamed("orders:Order", "shop:Purchase")'
    desk.write("orders.py", f"import durable_import\n{says}\n")
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "[(1, 'Purchase'), (2, 'Purchase')]\n", "")


MANY = """
    # durable: on
    import asyncio
    import orders
    from world import effect

    shared = orders.Order(-1)

    async def hold(number, wake):
        order = orders.Order(number)
        await wake.wait()
        return order.number, order.tier, order.items

    async def main():
        wake, held = asyncio.Event(), orders.Order(-2)
        tasks = [asyncio.create_task(hold(number, wake)) for number in range(40)]
        for number in range(6):
            await effect(str(number))
        wake.set()
        found = await asyncio.gather(*tasks)
        print(found == [(number, 3, []) for number in range(40)], held.items, shared.items, shared.tier)

    asyncio.run(main())
"""


def test_new_fields_in_segments(desk: Desk) -> None:
    """The objects of many tasks, which are saved one by one, get the defaults too."""
    desk.write("program.py", MANY)
    desk.write("orders.py", ORDER)
    assert desk.run("program.py", kill_at=6).status == KILLED
    items = "items: list = dataclasses.field(default_factory=list)"
    desk.write("orders.py", ORDER + f"        tier: int = 3\n        {items}\n")
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "True [] [] 3\n", "")


STRUCT = """
    import msgspec

    class Order(msgspec.Struct):
        gone: int
        number: int = 0
"""


def test_a_new_field_of_a_struct(desk: Desk) -> None:
    """Fields are found by their names where one that stood before them is gone; the run ends where a new one has no default."""
    desk.write("program.py", ORDERS)
    desk.write("orders.py", STRUCT)
    assert desk.run("program.py", kill_at=2).status == KILLED
    items = "items: list = msgspec.field(default_factory=list)"
    text = STRUCT.replace("gone: int", "tier: int").replace("number: int = 0", f"number: int = 5\n        {items}")
    desk.write("orders.py", text)
    refused = desk.run("program.py")
    assert refused.status == 70
    assert "orders.py:3: the saved state has objects of Order without the field 'tier'" in refused.said
    desk.write("orders.py", text.replace("tier: int", "tier: int = 3"))
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "[(0, 3, []), (0, 3, [])]\n", "")
