# durable: on
"""A condition wakes one, several or all waiters, in the order in which they came."""
import asyncio

from world import effect


class Bakery:
    def __init__(self):
        self.condition = asyncio.Condition()
        self.loaves = 0
        self.log = []

    async def buy(self, who):
        async with self.condition:
            self.log.append(f"{who} waits")
            await self.condition.wait()
            self.loaves -= 1
            self.log.append(f"{who} buys, {self.loaves} left")

    async def bake(self, n):
        await effect(f"bake batch of {n}")
        async with self.condition:
            self.loaves += n
            self.log.append(f"baked {n}")
            self.condition.notify(n)


async def patient_customer(bakery, log):
    try:
        await bakery.buy("patient")
    except asyncio.CancelledError:
        log.append(("patient leaves", bakery.condition.locked()))
        raise


async def main():
    bakery = Bakery()
    customers = [asyncio.create_task(bakery.buy(f"c{n}")) for n in range(6)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await bakery.bake(1)
    await customers[0]
    bakery.log.append([c.done() for c in customers])
    await bakery.bake(2)
    await asyncio.gather(*customers[1:3])
    bakery.log.append([c.done() for c in customers])

    async with bakery.condition:
        bakery.loaves += 3
        bakery.condition.notify_all()
        bakery.log.append("closing sale")
        await asyncio.sleep(0)
        bakery.log.append("lock is still held")
    await asyncio.wait(customers)

    left = []
    patient = asyncio.create_task(patient_customer(bakery, left))
    for _ in range(3):
        await asyncio.sleep(0)
    patient.cancel()
    await asyncio.wait([patient])
    try:
        bakery.condition.notify()
    except RuntimeError:
        left.append("notify without the lock")
    await effect("sweep")
    return bakery.log, bakery.loaves, left, patient.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
