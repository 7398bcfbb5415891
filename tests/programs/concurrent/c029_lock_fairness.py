# durable: on
"""A lock serves its waiters first come, first served; cancelled waiters drop out of the line."""
import asyncio

from world import effect


async def customer(name, lock, served, visits=1):
    for visit in range(visits):
        await lock.acquire()
        try:
            served.append(f"{name}{visit}")
            await asyncio.sleep(0)
        finally:
            lock.release()


async def quitter(lock, served):
    try:
        async with lock:
            served.append("quitter served")
    except asyncio.CancelledError:
        served.append("quitter left the line")
        raise


async def main():
    lock, served = asyncio.Lock(), []
    line = [asyncio.create_task(customer(n, lock, served, v)) for n, v in (("a", 3), ("b", 2), ("c", 1), ("d", 2))]
    await asyncio.gather(*line)
    round_robin = tuple(served)
    served.clear()

    await lock.acquire()
    tasks = [asyncio.create_task(customer(n, lock, served)) for n in ("e", "f")]
    quits = asyncio.create_task(quitter(lock, served))
    tasks.append(asyncio.create_task(customer("g", lock, served)))
    await asyncio.sleep(0)
    await effect("hold the lock")
    served.append(f"locked {lock.locked()}")
    quits.cancel()
    await asyncio.sleep(0)
    lock.release()
    served.append(f"released, locked {lock.locked()}")
    async with lock:
        # whoever waits goes before the one who has just released
        served.append("main again")
    await asyncio.gather(*tasks, return_exceptions=True)

    # a waiter that is cancelled after its turn was announced passes the turn on
    await lock.acquire()
    doomed = asyncio.create_task(customer("doomed", lock, served))
    heir = asyncio.create_task(customer("heir", lock, served))
    await asyncio.sleep(0)
    lock.release()
    doomed.cancel()
    await asyncio.wait([doomed, heir])
    try:
        lock.release()
    except RuntimeError:
        served.append("not held")
    await effect("close")
    return round_robin, served, quits.cancelled(), doomed.cancelled(), lock.locked()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
