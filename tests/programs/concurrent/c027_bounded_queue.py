# durable: on
"""A producer is held back by a bounded queue; the exact turns of producer and consumer are recorded."""
import asyncio

from world import effect


async def producer(queue, items, trace):
    for item in items:
        if queue.full():
            trace.append(f"wait to put {item}")
        await queue.put(item)
        trace.append(f"put {item} ({queue.qsize()})")
    await queue.put(None)
    trace.append("producer ends")


async def consumer(queue, trace, pause):
    taken = []
    while True:
        if queue.empty():
            trace.append("wait to get")
        item = await queue.get()
        if item is None:
            trace.append("consumer ends")
            return taken
        trace.append(f"get {item} ({queue.qsize()})")
        taken.append(item)
        for _ in range(pause):
            await asyncio.sleep(0)


async def run(size, pause, items):
    queue = asyncio.Queue(maxsize=size)
    trace = []
    _, taken = await asyncio.gather(producer(queue, items, trace), consumer(queue, trace, pause))
    return taken, trace


async def checked(queue, name, batch, sent):
    for item in batch:
        sent.append(await effect(f"{name} makes {item}", item))
        await queue.put((name, item))


async def main():
    await effect("start")
    slow_consumer = await run(2, 3, "abcdef")
    fast_consumer = await run(1, 0, "xyz")
    unbounded = await run(0, 1, "pqr")

    queue = asyncio.Queue(1)
    sent = []
    makers = [asyncio.create_task(checked(queue, n, b, sent)) for n, b in (("left", "123"), ("right", "45"))]
    received = {"left": [], "right": []}
    for _ in range(5):
        name, item = await queue.get()
        received[name].append(item)
    await asyncio.gather(*makers)
    return slow_consumer, fast_consumer, unbounded, received, sorted(sent), queue.maxsize


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
