# durable: on
"""Several tasks draw from one async generator under a lock; without it the second to ask is refused."""
import asyncio

from world import effect


async def numbered_pages(count, log):
    try:
        for n in range(count):
            await asyncio.sleep(0)
            yield await effect(f"fetch page {n}", f"page {n}")
    finally:
        await effect("close the source")
        log.append("source closed")


class Shared:
    """An async iterator that tasks may share."""

    def __init__(self, source):
        self.source = source
        self.lock = asyncio.Lock()

    def __aiter__(self):
        return self

    async def __anext__(self):
        async with self.lock:
            return await anext(self.source)


async def reader(name, shared, taken):
    async for page in shared:
        taken.append((name, page))
    return name


async def ticks(gate):
    n = 0
    while True:
        await gate.wait()
        n += 1
        yield n


async def ask(generator):
    try:
        return await anext(generator)
    except RuntimeError:
        return "refused"


async def main():
    log, taken = [], []
    shared = Shared(numbered_pages(7, log))
    readers = await asyncio.gather(*(reader(n, shared, taken) for n in ("ann", "bob", "cid")))

    gate = asyncio.Event()
    generator = ticks(gate)
    first, second = asyncio.create_task(ask(generator)), asyncio.create_task(ask(generator))
    await second
    gate.set()
    unshared = await first, second.result(), await ask(generator)
    await generator.aclose()

    # handed from task to task, one after the other
    relay = baton(["x", "y", "z"])
    legs = []
    for runner in ("r1", "r2", "r3"):
        leg = asyncio.create_task(take(relay), name=runner)
        legs.append((runner, await leg))
    return readers, taken, log, unshared, legs, await take(relay)


async def baton(names):
    for name in names:
        await asyncio.sleep(0)
        yield name


async def take(source):
    return await anext(source, "nothing left")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
