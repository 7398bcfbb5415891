# durable: on
"""A lock, a semaphore, a queue and an event made at module level are used by many tasks."""
import asyncio

from world import effect

write_lock = asyncio.Lock()
slots = asyncio.Semaphore(2)
jobs: asyncio.Queue = asyncio.Queue(maxsize=2)
results: asyncio.PriorityQueue = asyncio.PriorityQueue()
closed = asyncio.Event()
ledger = []
inside = 0
peak = 0


async def add_line(text, hops=1):
    async with write_lock:
        before = len(ledger)
        for _ in range(hops):
            await asyncio.sleep(0)
        assert len(ledger) == before
        ledger.append(text)


async def enter(who):
    global inside, peak
    async with slots:
        inside += 1
        peak = max(peak, inside)
        await asyncio.sleep(0)
        await effect(f"{who} works")
        inside -= 1
    return who


async def produce():
    for n in range(5):
        await jobs.put(n)
    await jobs.join()
    closed.set()


async def consume():
    while True:
        n = await jobs.get()
        results.put_nowait((-n, await effect(f"job {n}", f"result {n}")))
        jobs.task_done()


async def main():
    lines = [add_line(f"line {n}", hops=4 - n) for n in range(4)]
    await asyncio.gather(*lines)
    who = await asyncio.gather(*map(enter, ["ann", "bob", "cid"]))
    consumers = [asyncio.create_task(consume(), name=f"consumer {n}") for n in range(2)]
    producer = asyncio.create_task(produce())
    await closed.wait()
    await producer
    for consumer in consumers:
        consumer.cancel()
    await asyncio.wait(consumers)
    ordered = [results.get_nowait() for _ in range(results.qsize())]
    state = write_lock.locked(), slots.locked(), jobs.empty(), closed.is_set(), inside
    return ledger, who, peak, ordered, state


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
