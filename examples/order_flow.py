# durable: on
"""Orders with several steps each: a step that fails is tried again, and what cannot be completed is undone.

Run it, kill it as often as you like (from another terminal: kill -9 PID), and run the same command again:

    python -m durable_import run examples/order_flow.py
    python -m durable_import run examples/order_flow.py --folder /tmp/ledger --delay 0.1

Each effect is a file in a folder. The call that is under way when the process is killed is made again, so each effect
has a key, and whoever carries it out (here `do_once`, elsewhere a payment service) does it only once for each key.
"""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Order:
    """What a customer wants. ``trouble``: how often the payment service fails before it answers."""

    number: int
    item: str
    price: int
    trouble: int = 0


class OutOfStockError(Exception):
    """The item cannot be had."""


class PaymentServiceDownError(Exception):
    """It may work a little later."""


ORDERS = [
    Order(1, "teapot", 25),
    Order(2, "kettle", 40, trouble=2),
    Order(3, "unicorn", 900),
    Order(4, "cup", 5, trouble=9),
]


class Shop:
    """The outside world: reserves, charges, ships; each call takes ``delay`` seconds."""

    def __init__(self, folder: Path, delay: float) -> None:
        self.folder = folder
        self.delay = delay

    async def do_once(self, key: str, **facts: object) -> str:
        """Carry out an effect unless it was carried out before; gives its key as a receipt."""
        await asyncio.sleep(self.delay)
        await asyncio.to_thread(write_once, self.folder / f"{key}.json", facts)
        return key

    async def reserve(self, order: Order) -> str:
        if order.item == "unicorn":
            raise OutOfStockError(f"there is no {order.item}")
        return await self.do_once(f"{order.number}-reserve", item=order.item)

    async def release(self, order: Order) -> str:
        return await self.do_once(f"{order.number}-release", item=order.item)

    async def charge(self, order: Order, attempt: int) -> str:
        if attempt <= order.trouble:
            raise PaymentServiceDownError(f"no answer to attempt {attempt}")
        return await self.do_once(f"{order.number}-charge", amount=order.price)

    async def ship(self, order: Order, receipt: str) -> str:
        return await self.do_once(f"{order.number}-ship", item=order.item, paid_by=receipt)


def write_once(path: Path, facts: dict[str, object]) -> None:
    """Write a file completely or not at all; leave one that is there."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".draft")
        draft.write_text(json.dumps(facts))
        draft.replace(path)


async def charge_patiently(shop: Shop, order: Order, attempts: int = 4) -> str:
    """Charge; when the service is down wait, each time twice as long, and try again."""
    attempt = 1
    while True:
        try:
            return await shop.charge(order, attempt)
        except PaymentServiceDownError as error:
            if attempt == attempts:
                raise
            print(f"  order {order.number}: {error}, trying again")
            await asyncio.sleep(shop.delay * 2**attempt)
            attempt += 1


async def fulfil(shop: Shop, order: Order) -> str:
    """Carry out an order, or undo what was done of it; gives the outcome."""
    undo: list[Callable[[], Awaitable[str]]] = []
    try:
        await shop.reserve(order)
        undo.append(lambda: shop.release(order))
        receipt = await charge_patiently(shop, order)
        await shop.ship(order, receipt)
    except (OutOfStockError, PaymentServiceDownError) as error:
        for compensate in reversed(undo):
            await compensate()
        return f"cancelled ({error})"
    return "shipped"


async def main(folder: Path, delay: float) -> None:
    shop = Shop(folder, delay)
    outcomes = {}
    for order in ORDERS:
        print(f"order {order.number}: {order.item}")
        outcomes[order.number] = await fulfil(shop, order)
    print()
    for number, outcome in outcomes.items():
        print(f"order {number} was {outcome}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Carry out some orders.")
    parser.add_argument("--folder", type=Path, default=Path(".durable/orders"), help="where the effects go")
    parser.add_argument("--delay", type=float, default=1, metavar="SECONDS", help="how long a call takes (default: 1)")
    options = parser.parse_args()
    asyncio.run(main(options.folder, options.delay))
