# durable: on
"""Several sensors feed several collectors through one queue; sentinels stop the collectors."""
import asyncio
from asyncio import Queue, create_task, gather
from collections import defaultdict

from world import effect

STOP = object()


async def sensor(name, readings, queue):
    for n, reading in enumerate(readings):
        if n % 2 == 0:
            reading = await effect(f"{name} reads {n}", reading)
        await queue.put((name, n, reading))
    return len(readings)


async def collector(queue, totals, seen):
    handled = 0
    while (item := await queue.get()) is not STOP:
        name, n, reading = item
        totals[name] += reading
        seen[name].append(n)
        handled += 1
        await asyncio.sleep(0)
        queue.task_done()
    queue.task_done()
    return handled


async def fair_share():
    """Three waiting getters are served in turn: nobody starves."""
    queue, served = Queue(), defaultdict(list)

    async def getter(name):
        while (item := await queue.get()) is not STOP:
            served[name].append(item)

    getters = [create_task(getter(name)) for name in ("red", "green", "blue")]
    for item in range(9):
        await queue.put(item)
        await asyncio.sleep(0)
    for _ in getters:
        await queue.put(STOP)
    await gather(*getters)
    return dict(served)


async def main():
    queue = Queue(maxsize=3)
    totals, seen = defaultdict(int), defaultdict(list)
    collectors = [create_task(collector(queue, totals, seen)) for _ in range(2)]
    sensors = {"north": [1, 2, 3, 4], "south": [10, 20, 30], "east": [100, 200]}
    sent = await gather(*(sensor(name, readings, queue) for name, readings in sensors.items()))
    await queue.join()
    for _ in collectors:
        await queue.put(STOP)
    handled = await gather(*collectors)
    shares = await fair_share()
    await effect("archive")
    return sent, sum(handled), sorted(totals.items()), {k: sorted(seen[k]) for k in sensors}, shares


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
