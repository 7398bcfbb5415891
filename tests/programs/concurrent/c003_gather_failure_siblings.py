# durable: on
"""When one upload of a gather fails, the caller hears of it at once and the siblings go on to their end."""
import asyncio
from asyncio import gather

from world import effect, fail


class Rejected(Exception):
    pass


async def upload(name, gate, stored, log):
    log.append(f"start {name}")
    await gate.wait()
    log.append(f"go {name}")
    stored[name] = await effect(f"store {name}", len(name))
    return name


async def reject(name, log):
    log.append(f"start {name}")
    await fail(f"reject {name}", Rejected(name))


async def late_failure(gate):
    await gate.wait()
    raise Rejected("late, and nobody looks")


async def main():
    gate = asyncio.Event()
    stored, log = {}, []
    tasks = [asyncio.create_task(upload(n, gate, stored, log)) for n in ("one", "three", "seven")]
    tasks.insert(1, asyncio.create_task(reject("two", log)))
    second = asyncio.create_task(late_failure(gate))
    try:
        await gather(*tasks, second)
    except Rejected as error:
        log.append(f"failed {error}")
        seen = [task.done() for task in tasks]
    gate.set()
    names = await gather(*tasks, second, return_exceptions=True)
    log.append("all in")

    # the first failure in time wins, not the first in the list
    order = []

    async def stumble(label, hops):
        for _ in range(hops):
            await asyncio.sleep(0)
        order.append(label)
        raise Rejected(label)

    try:
        await gather(stumble("slow", 4), stumble("fast", 1), stumble("middle", 2))
    except Rejected as error:
        winner = str(error)
    before = tuple(order)
    while len(order) < 3:
        await asyncio.sleep(0)
    await effect("report")
    return seen, [repr(n) for n in names], sorted(stored.items()), log, winner, before, order


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
