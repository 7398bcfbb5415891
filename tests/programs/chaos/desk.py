# durable: on
"""A program of two files: tasks wait for primitives of an imported module, whose data they change."""
import asyncio

import office
from office import client, jobs
from world import effect


async def produce():
    for n in range(1, 13):
        await jobs.put(n)
    await jobs.join()


async def main():
    consumers = [asyncio.create_task(office.consume(n)) for n in range(4)]
    waiting = [asyncio.create_task(office.wait_until(n)) for n in (3, 6, 12)]
    producer = asyncio.create_task(produce())
    first = client()
    await effect("before all are ready")
    await asyncio.sleep(0.2)
    office.ready.set()
    got = await asyncio.gather(*(client().call(f"call {n}") for n in range(5)))
    await producer
    for task in consumers:
        task.cancel()
    await asyncio.gather(*consumers, return_exceptions=True)
    print(await asyncio.gather(*waiting))
    print(office.total, sorted(office.ledger), sorted(office.order), sorted(got))
    print(first is client(), first.calls, first.made)
    print(office.limiter.free, office.limiter.waiting, jobs.empty(), office.lock.locked(), office.slots.locked())


if __name__ == "__main__":
    asyncio.run(main())
