# durable: on
# requires: 3.13
"""Queue.shutdown ends the getters when the queue is drained, putters at once, or everybody immediately."""
import asyncio

from world import effect


async def consumer(name, queue, taken, ends):
    try:
        while True:
            item = await queue.get()
            taken.append((name, item))
            await asyncio.sleep(0)
            queue.task_done()
    except asyncio.QueueShutDown:
        ends.append(name)
        return await effect(f"{name} goes home", name)


async def producer(queue, items, ends):
    sent = []
    try:
        for item in items:
            await queue.put(item)
            sent.append(item)
    except asyncio.QueueShutDown:
        ends.append(f"producer refused after {sent}")
    return sent


async def main():
    queue = asyncio.Queue()
    taken, ends = [], []
    consumers = [asyncio.create_task(consumer(n, queue, taken, ends)) for n in ("ann", "bob")]
    sent = await producer(queue, "abcde", ends)
    queue.shutdown()
    await queue.join()
    names = await asyncio.gather(*consumers)
    refused = []
    for attempt in (lambda: queue.put_nowait("late"), queue.get_nowait):
        try:
            attempt()
        except asyncio.QueueShutDown:
            refused.append("shut down")

    # a putter that waits for room is woken and refused
    small = asyncio.Queue(1)
    blocked = asyncio.create_task(producer(small, "xyz", ends))
    await asyncio.sleep(0)
    await effect("while the producer is blocked")
    small.shutdown()
    partial = await blocked
    rest = await small.get()

    # immediate: what is left is thrown away and join returns
    urgent = asyncio.PriorityQueue()
    for n in (3, 1, 2):
        urgent.put_nowait(n)
    joiner = asyncio.create_task(urgent.join())
    first = await urgent.get()
    urgent.task_done()
    urgent.shutdown(immediate=True)
    await joiner
    return taken, ends, sent, names, refused, partial, rest, first, urgent.qsize()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
