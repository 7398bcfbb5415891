# durable: on
"""Dataclasses: frozen, slots, ordered, with factories, kw_only, post_init and a local one."""
import asyncio
import dataclasses
from dataclasses import dataclass, field

from world import effect


@dataclass
class Item:
    name: str
    tags: list = field(default_factory=list)
    owner: "Item | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True, order=True)
class Money:
    amount: int
    unit: str = "EUR"

    def plus(self, n):
        return dataclasses.replace(self, amount=self.amount + n)


@dataclass(kw_only=True)
class Order(Item):
    total: Money = Money(0)
    log: list = field(init=False, repr=False)

    def __post_init__(self):
        self.log = [self]


async def main():
    @dataclass(frozen=True)
    class Local:
        n: int
        inner: Item

    item = Item("pen")
    order = Order(name="o", owner=item)
    local = Local(1, item)
    await effect("made")
    item.tags.append(await effect("tag", "blue"))
    order.total = order.total.plus(await effect("price", 7))
    try:
        order.total.amount = 9
    except dataclasses.FrozenInstanceError as error:
        refused = str(error)
    await effect("refused")
    grown = dataclasses.replace(local, n=2)
    return [
        item,
        order,
        order.log[0] is order and order.owner is item,
        refused,
        sorted([Money(3), Money(1, "USD"), order.total]),
        dataclasses.asdict(local),
        grown == Local(2, item),
        type(local).__qualname__,
        hash(order.total) == hash(Money(7)),
    ]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
