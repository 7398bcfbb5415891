# durable: on
"""Two hundred tasks over one ledger: clerks that share locks, a semaphore and a queue, and auditors that wait for them."""
import asyncio
import random

from world import effect

CLERKS, SHIPPERS, WATCHERS = 150, 30, 20

stock = {f"item {n}": 40 for n in range(12)}
journal = []


class Office:
    def __init__(self):
        self.locks = {name: asyncio.Lock() for name in stock}
        self.counters = asyncio.Semaphore(20)
        self.parcels = asyncio.Queue(maxsize=25)
        self.shipped = {}
        self.open_orders = set()
        self.changed = asyncio.Condition()
        self.closed = asyncio.Event()
        self.most_inside = self.inside = 0

    async def order(self, clerk, choice):
        name, count = choice.choice(sorted(stock)), choice.randint(1, 3)
        async with self.counters:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
            async with self.locks[name]:
                left = stock[name]
                await effect(f"{clerk} takes {count} of {name}")
                assert stock[name] == left, "the lock of the item was not held"
                stock[name] = left - count
                journal.append((clerk, name, count))
            self.inside -= 1
        self.open_orders.add(clerk)
        await self.parcels.put((clerk, name, count))

    async def ship(self, number):
        while True:
            parcel = await self.parcels.get()
            if parcel is None:
                return number
            clerk, name, count = parcel
            try:
                async with asyncio.timeout(60):
                    label = await effect(f"ship {count} of {name} for {clerk}", f"{name} x{count}")
            finally:
                self.parcels.task_done()
            async with self.changed:
                self.shipped[clerk] = label
                self.open_orders.discard(clerk)
                self.changed.notify_all()

    async def watch(self, wanted):
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.shipped) >= wanted)
        await self.closed.wait()
        return wanted


async def main():
    office = Office()
    choices = [random.Random(n) for n in range(CLERKS)]
    watchers = [asyncio.create_task(office.watch(7 * n), name=f"watcher {n}") for n in range(WATCHERS)]
    shippers = [asyncio.create_task(office.ship(n)) for n in range(SHIPPERS)]
    async with asyncio.TaskGroup() as group:
        for n, choice in enumerate(choices):
            group.create_task(office.order(f"clerk {n}", choice))
    await office.parcels.join()
    for _ in shippers:
        await office.parcels.put(None)
    ended = await asyncio.gather(*shippers)
    office.closed.set()
    seen = await asyncio.gather(*watchers)
    sold = {name: 0 for name in stock}
    for _, name, count in journal:
        sold[name] += count
    balanced = all(stock[name] + sold[name] == 40 for name in stock)
    state = sorted(ended) == list(range(SHIPPERS)), seen, balanced, office.open_orders, office.inside, office.most_inside <= 20
    return sorted(stock.items()), sorted(journal), sorted(office.shipped.items()), state


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
