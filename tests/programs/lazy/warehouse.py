"""A marked module that is imported lazily, while an instance runs."""

# durable: on
from world import effect

stock = {"tea": 10, "cake": 10}


class Shelf:
    def __init__(self, item):
        self.item = item


async def take(item, count):
    for _ in range(count):
        stock[item] -= await effect(f"take {item}", 1)
    return Shelf(item), stock[item]


async def all_items():
    for item in stock:
        yield item, await effect(f"look at {item}", stock[item])
