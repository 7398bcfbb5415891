"""Code of then that goes on where modules, classes, functions and data have other names today, and the texts have changed."""

from __future__ import annotations

import sys

import pytest

from tests.harness.processes import KILLED, Desk

PROGRAM = """
    # durable: on
    import asyncio
    from shop.orders import main
    asyncio.run(main())
"""
ORDERS = """
    # durable: on
    from shop import prices
    from shop.prices import price
    from world import effect

    shared = {"n": 1}

    class Cart:
        def __init__(self):
            self.rows = [1, 2]

        async def total(self, more):
            return sum(price(row) for row in self.rows) + more

    async def order(cart):
        await effect("saved")
        await effect("killed")
        return await cart.total(10), prices.price(5), type(Cart()).__name__, shared

    async def main():
        shared["n"] += 1
        print(await order(Cart()))
"""
PRICES = """
    # durable: on
    def price(row):
        return row
"""
NEW_PRICES = """
    # durable: on
    def cost(row):
        return row * 1000
"""
LINES = """
    import durable_import
    durable_import.renamed("shop.orders", "store.buying")
    durable_import.renamed("shop.prices", "store.prices")
    durable_import.renamed("shop.prices:price", "store.prices:cost")
    durable_import.renamed("shop.orders:Cart", "store.buying:Basket")
    durable_import.renamed("shop.orders:shared", "store.buying:common")
"""


@pytest.mark.slow
def test_all_has_other_names_and_other_code(desk: Desk) -> None:
    """Functions are those of then, classes and data those of today, whatever they are called; a kill in between is no matter."""
    desk.write("shop/__init__.py", "")
    desk.write("program.py", PROGRAM)
    desk.write("shop/orders.py", ORDERS)
    desk.write("shop/prices.py", PRICES)
    assert desk.run("program.py", kill_at=2).status == KILLED
    (desk.folder / "shop").rename(desk.folder / "store")
    (desk.folder / "store" / "orders.py").unlink()
    orders = ORDERS.replace("shop", "store").replace("Cart", "Basket").replace("shared", "common").replace("price(", "cost(")
    orders = orders.replace("store.prices import price", "store.prices import cost").replace("+ more", "+ more + 10000")
    orders = orders.replace('await effect("killed")', 'await effect("killed")\n        raise ValueError')
    desk.write("store/buying.py", orders + LINES)
    desk.write("store/prices.py", NEW_PRICES)
    desk.write("program.py", PROGRAM.replace("shop.orders", "store.buying"))
    looked = desk.start_command([sys.executable, "-m", "durable_import", "check", "store"]).end()
    assert (looked.status, "  pinned  " in looked.out) == (0, True), looked
    for kill_at in (3, None):
        done = desk.run("--old-code", "program.py", kill_at=kill_at)
    assert (done.status, done.out, done.err) == (0, "(13, 5, 'Basket', {'n': 2})\n", ""), done
    assert "in the code of 'order' that it began with" in done.said
