# durable: on
"""A whole script with module-level state: catalogue, counters, journal, handlers, invoices and a final report."""
import asyncio
import enum
import itertools
import logging
from dataclasses import dataclass, field
from decimal import Decimal

from world import effect


log = logging.getLogger(__name__)
CATALOGUE = {"pen": Decimal("1.20"), "ink": Decimal("7.00"), "desk": Decimal("149.90")}
STOCK = {"pen": 10, "ink": 1}
HANDLERS = {}
JOURNAL = []
numbers = itertools.count(1000)
revenue = Decimal(0)


class Status(enum.Enum):
    NEW = 1
    PAID = 2
    REFUSED = 3


@dataclass
class Order:
    customer: str
    lines: dict
    number: int = field(default_factory=lambda: next(numbers))
    status: Status = Status.NEW
    reasons: list = field(default_factory=list)

    @property
    def total(self):
        return sum((CATALOGUE[i] * n for i, n in self.lines.items()), Decimal(0))


def on(kind):
    return lambda fn: HANDLERS.setdefault(kind, []).append(fn) or fn


async def publish(kind, order):
    JOURNAL.append((kind, order.number))
    for handler in HANDLERS.get(kind, ()):
        await handler(order)


@on("created")
async def check_stock(order):
    for item, n in order.lines.items():
        left = await effect(f"stock {item} for {order.customer}", STOCK.get(item, 0))
        if left < n:
            order.reasons.append(f"{item}: {left} < {n}")
    await publish("refused" if order.reasons else "accepted", order)


@on("accepted")
async def pay(order):
    global revenue
    for item, n in order.lines.items():
        STOCK[item] -= n
    revenue += await effect(f"pay {order.number}", order.total)
    order.status = Status.PAID
    log.debug("paid %s", order.number)


@on("refused")
async def apologise(order):
    order.status = Status.REFUSED
    await effect(f"apologise to {order.customer}")


async def main():
    wanted = [("ann", {"pen": 4, "ink": 1}), ("bob", {"ink": 1}), ("cid", {"pen": 6}), ("dee", {"desk": 1})]
    orders = []
    for customer, lines in wanted:
        order = Order(customer, lines)
        orders.append(order)
        await publish("created", order)
    by_status = {s.name: [o.customer for o in orders if o.status is s] for s in Status}
    return by_status, revenue, STOCK, JOURNAL, [o.reasons for o in orders if o.reasons], next(numbers)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
