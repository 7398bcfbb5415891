"""Programs that are killed, and go on with functions, classes, data and packages that have other names meanwhile."""

from __future__ import annotations

import sys

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
    from world import effect

    shared = {"n": 0}
    count = 0

    class Shop:
        def __init__(self):
            self.n = 1

        async def order(self, more):
            await effect("saved")
            await effect("killed")
            return self.n + more

    async def helper(n):
        return await helper(n - 1) if n else await Shop().order(5)

    async def main():
        global count
        shared["n"] += 1
        count += 1
        found = await helper(2)
        print(found, shared, count)
"""
NAMES = {"main": "start", "helper": "assist", "order": "purchase", "Shop": "Store", "shared": "common", "count": "tally"}
LINES = [
    'renamed("flows:main", "flows:start")',
    'renamed("flows:Shop.order", "flows:Store.purchase")',
    'renamed("flows:helper", "flows:assist")',
    'renamed("flows:Shop", "flows:Store")',
    'renamed("flows:shared", "flows:common")',
    'renamed("flows:count", "flows:tally")',
]


def with_new_names(text: str) -> str:
    """Everything is called something else."""
    for old, new in NAMES.items():
        text = text.replace(old, new)
    return text


def with_lines(text: str, lines: list[str]) -> str:
    """A module that says new names."""
    return "\n".join([text, "    import durable_import", *(f"    durable_import.{line}" for line in lines), ""])


def test_functions_classes_and_data_with_other_names(desk: Desk) -> None:
    """The errors say the lines, one after the other; with all of them the program goes on in the middle of its functions."""
    desk.write("program.py", PROGRAM)
    desk.write("flows.py", FLOWS)
    assert desk.run("program.py", kill_at=2).status == KILLED
    desk.write("program.py", PROGRAM.replace("main", "start"))
    flows = with_new_names(FLOWS)
    for known, missing in enumerate(LINES[:2]):
        desk.write("flows.py", with_lines(flows, LINES[:known]))
        refused = desk.run("program.py")
        assert refused.status == 70
        assert f"durable_import.{missing}" in refused.said
    desk.write("flows.py", with_lines(flows, LINES))
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "6 {'n': 1} 1\n", "")
    assert desk.effects == ["saved", "killed", "killed"]


def test_data_that_nobody_mentions_today(desk: Desk) -> None:
    """They are told, with the line that says what they are called: a new name begins with what the module's code gives it."""
    desk.write("program.py", PROGRAM)
    desk.write("flows.py", FLOWS)
    assert desk.run("program.py", kill_at=2).status == KILLED
    desk.write("flows.py", FLOWS.replace("shared", "common"))
    done = desk.run("program.py")
    assert (done.status, done.out) == (0, "6 {'n': 0} 1\n")
    assert "what was in shared of module flows" in done.err
    assert 'durable_import.renamed("flows:shared", "flows:NAME")' in done.err


def test_a_function_with_another_name_and_another_text(desk: Desk) -> None:
    """It moves, as one that has kept its name does."""
    desk.write("program.py", PROGRAM)
    desk.write("flows.py", FLOWS)
    assert desk.run("program.py", kill_at=2).status == KILLED
    desk.write("program.py", PROGRAM.replace("main", "start"))
    flows = FLOWS.replace("async def main", "async def start").replace("print(found,", 'print("found", found,')
    desk.write("flows.py", with_lines(flows, LINES[:1]))
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "found 6 {'n': 1} 1\n", "")
    assert "in the new code of 'start'" in done.said


SHOP = """
    # durable: on
    import asyncio
    from shop.model import Order
    from world import effect

    registry = {}

    async def pack(order):
        await effect("saved")
        await effect("killed")
        return order

    class Flow:
        async def go(self, number):
            registry[number] = Order(number)
            packed = await pack(registry[number])
            return packed is registry[number], packed.number, type(packed).__module__

    async def main():
        found = await Flow().go(3)
        print(found)
        return found
"""
MODEL = """
    from dataclasses import dataclass

    @dataclass
    class Order:
        number: int
"""
SCRIPT = """
    # durable: on
    import asyncio
    from shop.deep.flows import main
    asyncio.run(main())
"""
APPLICATION = """
    import asyncio
    import durable_import
    durable_import.install()
    from durable_import import DurableRuntime
    from shop.deep.flows import main

    async def run():
        async with DurableRuntime("sqlite:///state.db") as runtime:
            await runtime.run(main, instance_id="x")

    asyncio.run(run())
"""


def write_package(desk: Desk, name: str, *lines: str) -> None:
    """The package under a name."""
    desk.write(f"{name}/__init__.py", with_lines("", list(lines)))
    desk.write(f"{name}/deep/__init__.py", "")
    desk.write(f"{name}/model.py", MODEL)
    desk.write(f"{name}/deep/flows.py", SHOP.replace("shop", name))


def move_package(desk: Desk, *lines: str) -> None:
    """From ``shop`` to ``store``."""
    for file in sorted((desk.folder / "shop").rglob("*.py")):
        file.unlink()
    write_package(desk, "store", *lines)


def test_a_package_with_another_name(desk: Desk) -> None:
    """Frames, objects and data of all its modules are found in it."""
    desk.write("script.py", SCRIPT)
    write_package(desk, "shop")
    assert desk.run("script.py", kill_at=2).status == KILLED
    move_package(desk)
    desk.write("script.py", SCRIPT.replace("shop", "store"))
    refused = desk.run("script.py")
    line = 'renamed("shop", "store")'
    assert refused.status == 70
    assert f"say so at module level: durable_import.{line}. Then" in refused.said
    move_package(desk, line)
    done = desk.run("script.py")
    assert (done.status, done.out, done.err) == (0, "(True, 3, 'store.model')\n", "")


def test_a_package_with_another_name_in_an_application(desk: Desk) -> None:
    """There too, with classes in a module that is not marked; what is at module level is the application's."""
    desk.write("app.py", APPLICATION)
    write_package(desk, "shop")
    flows = SHOP.replace("registry = {}", "").replace("registry[number] = Order(number)", "registry = {number: Order(number)}")
    desk.write("shop/deep/flows.py", flows)
    assert desk.start_command([sys.executable, "app.py"], KILL_AT="2").end().status == KILLED
    move_package(desk, 'renamed("shop", "store")')
    desk.write("store/deep/flows.py", flows.replace("shop", "store"))
    desk.write("app.py", APPLICATION.replace("shop", "store"))
    done = desk.start_command([sys.executable, "app.py"]).end()
    assert (done.status, done.out) == (0, "(True, 3, 'store.model')\n"), done


CALLER = """
    # durable: on
    import asyncio
    from world import effect

    async def charge(n):
        await effect("saved")
        await effect("killed")
        return n

    async def main():
        for n in range(2):
            found = await charge(n)
        print(found)

    asyncio.run(main())
"""


@pytest.mark.slow
def test_a_helper_with_another_name_and_a_caller_with_another_text(desk: Desk) -> None:
    """The caller moves: what it awaits is the same function, under its new name."""
    desk.write("program.py", CALLER)
    assert desk.run("program.py", kill_at=2).status == KILLED
    changed = CALLER.replace("charge", "bill").replace("print(found)", 'print("found", found)')
    line = 'import durable_import\n    durable_import.renamed("__main__:charge", "__main__:bill")'
    desk.write("program.py", changed.replace("import asyncio", f"import asyncio\n    {line}"))
    looked = desk.start_command([sys.executable, "-m", "durable_import", "check", "program.py"]).end()
    assert (looked.status, "  moves  " in looked.out) == (0, True), looked
    done = desk.run("program.py")
    assert (done.status, done.out, done.err) == (0, "found 1\n", "")
    assert desk.effects == ["saved", "killed", "killed", "saved", "killed"]
