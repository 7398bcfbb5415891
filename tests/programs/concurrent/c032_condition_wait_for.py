# durable: on
"""Condition.wait_for with predicates: steps of a recipe wait for what they need."""
import asyncio

from world import effect


class Pantry:
    def __init__(self, lock=None):
        self.changed = asyncio.Condition(lock)
        self.stock = {}
        self.order = []
        self.checks = 0

    def has(self, needs):
        def enough():
            self.checks += 1
            return all(self.stock.get(k, 0) >= n for k, n in needs.items())

        return enough

    async def take(self, step, needs):
        async with self.changed:
            answer = await self.changed.wait_for(self.has(needs))
            for name, n in needs.items():
                self.stock[name] -= n
            self.order.append(step)
            return answer

    async def add(self, **items):
        async with self.changed:
            for name, n in items.items():
                self.stock[name] = self.stock.get(name, 0) + n
            self.changed.notify_all()


async def deliver(pantry, name, n, after):
    await after.wait()
    await pantry.add(**{name: await effect(f"deliver {name}", n)})


async def main():
    lock = asyncio.Lock()
    pantry = Pantry(lock)
    steps = {
        "bread": {"flour": 2, "water": 1},
        "soup": {"water": 2, "leek": 1},
        "cake": {"flour": 1, "egg": 2},
        "tea": {"water": 1},
    }
    cooks = {name: asyncio.create_task(pantry.take(name, needs)) for name, needs in steps.items()}
    doors = [asyncio.Event() for _ in range(4)]
    goods = [("egg", 2), ("water", 4), ("flour", 3), ("leek", 1)]
    vans = [asyncio.create_task(deliver(pantry, *g, door)) for g, door in zip(goods, doors, strict=True)]
    history = []
    for door, van in zip(doors, vans, strict=True):
        door.set()
        await van
        for _ in range(8):
            await asyncio.sleep(0)
        history.append((tuple(pantry.order), pantry.changed.locked()))
    answers = [await cook for cook in cooks.values()]
    checks = pantry.checks
    at_once = await pantry.take("nothing", {})
    return history, answers, pantry.stock, checks, at_once, lock.locked()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
