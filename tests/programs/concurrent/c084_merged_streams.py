# durable: on
"""Several async generators are pumped by tasks into one queue and merged in order; closing stops the pumps."""
import asyncio
import heapq
from contextlib import aclosing

from world import effect

END = object()


async def readings(sensor, values, closed):
    try:
        for at, value in values:
            if at % 10 == 0:
                value = await effect(f"{sensor} at {at}", value)
            else:
                await asyncio.sleep(0)
            yield at, sensor, value
    finally:
        await asyncio.sleep(0)
        closed.append(sensor)


async def pump(source, queue):
    async with aclosing(source) as items:
        async for item in items:
            await queue.put(item)
    await queue.put(END)


async def merged(*sources):
    """By time: an item is handed out when each stream that still runs has shown a later one."""
    queues = [asyncio.Queue(maxsize=1) for _ in sources]
    pumps = [asyncio.create_task(pump(s, q)) for s, q in zip(sources, queues, strict=True)]
    heap = []
    try:
        for number, queue in enumerate(queues):
            if (item := await queue.get()) is not END:
                heapq.heappush(heap, (item, number))
        while heap:
            item, number = heapq.heappop(heap)
            yield item
            if (following := await queues[number].get()) is not END:
                heapq.heappush(heap, (following, number))
    finally:
        for task in pumps:
            task.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


async def main():
    closed = []
    wind = [(1, 7), (10, 9), (12, 3), (20, 4)]
    rain = [(2, 0), (5, 1), (30, 2)]
    sun = []
    sensors = [readings(name, values, closed) for name, values in (("wind", wind), ("rain", rain), ("sun", sun))]
    everything = [item async for item in merged(*sensors)]
    first_closed = sorted(closed)
    closed.clear()
    early = []
    endless = [(n * 2 + 1, n) for n in range(1000)]
    few = [(4, 0), (8, 0), (99, 0)]
    async with aclosing(merged(readings("a", endless, closed), readings("b", few, closed))) as items:
        async for item in items:
            early.append(item[:2])
            if len(early) == 6:
                break
    await effect("stop")
    return everything, first_closed, early, closed


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
