# durable: on
"""A semaphore lets a few in at a time, in the order of their arrival."""
import asyncio

from world import effect


class Pool:
    """Swimmers share two lanes; who enters and leaves is recorded with the number inside."""

    def __init__(self, lanes):
        self.lanes = asyncio.Semaphore(lanes)
        self.inside = 0
        self.most = 0
        self.log = []

    async def swim(self, who, laps):
        async with self.lanes:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.log.append(f"{who} in")
            for _ in range(laps):
                await asyncio.sleep(0)
            self.log.append(f"{who} out")
            self.inside -= 1


async def lesson(pool, who, counted):
    async with pool.lanes:
        counted.append(await effect(f"lesson for {who}", who))


async def main():
    pool = Pool(2)
    laps = {"ann": 4, "bob": 1, "cid": 2, "dot": 1, "eve": 3, "fay": 1}
    await asyncio.gather(*(pool.swim(who, n) for who, n in laps.items()))
    first = tuple(pool.log)

    counted = []
    await asyncio.gather(*(lesson(pool, who, counted) for who in ("gus", "hal", "ivy", "jim")))

    pool.log.clear()
    await pool.lanes.acquire()
    await pool.lanes.acquire()
    waiting = [asyncio.create_task(pool.swim(who, 1)) for who in ("kim", "leo", "mia")]
    await asyncio.sleep(0)
    full = pool.lanes.locked()
    waiting[0].cancel()
    pool.log.append("kim cancelled")
    await asyncio.sleep(0)
    pool.lanes.release()
    pool.log.append("one lane free")
    await asyncio.wait(waiting)
    pool.lanes.release()

    signal = asyncio.Semaphore(0)
    order = []

    async def waiter(name):
        await signal.acquire()
        order.append(name)

    waiters = [asyncio.create_task(waiter(n)) for n in "xyz"]
    await asyncio.sleep(0)
    signal.release()
    signal.release()
    await asyncio.wait(waiters[:2])
    order.append(waiters[2].done())
    signal.release()
    await waiters[2]
    return first, pool.most, sorted(counted), full, pool.log, [w.cancelled() for w in waiting], order


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
