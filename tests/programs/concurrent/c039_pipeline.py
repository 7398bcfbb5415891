# durable: on
"""Stages of tasks joined by bounded queues: read, parse, enrich by several workers, put in order, write."""
import asyncio
import heapq

from world import effect

DONE = None


async def read(lines, out):
    for number, line in enumerate(lines):
        await out.put((number, line))
    await out.put(DONE)


async def parse(source, out, bad):
    while (item := await source.get()) is not DONE:
        number, line = item
        name, separator, amount = line.partition(":")
        if separator and amount.strip().isdigit():
            await out.put((number, {"name": name, "amount": int(amount)}))
        else:
            bad.append(number)
            await out.put((number, None))
    await out.put(DONE)


async def enrich(source, out):
    """Several of these run at once; the end mark is passed on to the next one."""
    handled = 0
    while (item := await source.get()) is not DONE:
        number, record = item
        if record is not None:
            record["rate"] = await effect(f"rate for {record['name']}", len(record["name"]))
            handled += 1
        await out.put((number, record))
    await source.put(DONE)
    return handled


async def reorder(source, out, total):
    waiting, expected = [], 0
    while expected < total:
        number, record = await source.get()
        heapq.heappush(waiting, (number, record))
        while waiting and waiting[0][0] == expected:
            _, ready = heapq.heappop(waiting)
            expected += 1
            if ready is not None:
                await out.put(ready)
    await out.put(DONE)


async def write(source, ledger):
    while (record := await source.get()) is not DONE:
        ledger.append((record["name"], record["amount"] * record["rate"]))
    return await effect("flush", len(ledger))


async def main():
    lines = ["ann: 3", "bob: 4", "nonsense", "cid: 5", "dorothy: 6", "eve: x", "f: 7"]
    raw, parsed, rated, ordered = (asyncio.Queue(2) for _ in range(4))
    bad, ledger = [], []
    async with asyncio.TaskGroup() as group:
        group.create_task(read(lines, raw), name="read")
        group.create_task(parse(raw, parsed, bad), name="parse")
        workers = [group.create_task(enrich(parsed, rated), name=f"enrich {n}") for n in range(3)]
        group.create_task(reorder(rated, ordered, len(lines)), name="reorder")
        written = group.create_task(write(ordered, ledger), name="write")
    return ledger, bad, written.result(), sum(w.result() for w in workers), [q.qsize() for q in (raw, rated, ordered)]


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
