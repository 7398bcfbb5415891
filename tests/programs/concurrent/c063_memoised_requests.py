# durable: on
"""Requests for the same key share one task in flight; failures are forgotten, impatient callers do not matter."""
import asyncio
import functools

from world import effect, fail


class Missing(Exception):
    pass


class SingleFlight:
    def __init__(self, load):
        self.load = load
        self.tasks = {}
        self.started = []

    async def get(self, key):
        task = self.tasks.get(key)
        if task is None:
            self.started.append(key)
            task = self.tasks[key] = asyncio.create_task(self.load(key), name=f"load {key}")
            task.add_done_callback(functools.partial(self.forget_failure, key))
        return await asyncio.shield(task)

    def forget_failure(self, key, task):
        if task.cancelled() or task.exception():
            del self.tasks[key]


async def load(key):
    if key == "gate":
        await gate.wait()
    loads[key] = loads.get(key, 0) + 1
    if key == "ghost" and loads[key] == 1:
        await fail("load ghost the first time", Missing(key))
    return await effect(f"load {key} {loads[key]}", {"key": key})


gate = asyncio.Event()
loads = {}


async def main():
    cache = SingleFlight(load)
    ann, bob, cid = await asyncio.gather(cache.get("x"), cache.get("x"), cache.get("y"))
    again = await cache.get("x")
    same = ann is bob is again, ann is not cid, ann is cache.tasks["x"].result()

    ghosts = await asyncio.gather(cache.get("ghost"), cache.get("ghost"), return_exceptions=True)
    one_error = ghosts[0] is ghosts[1], repr(ghosts[0]), "ghost" in cache.tasks
    ghost = await cache.get("ghost")

    impatient = asyncio.create_task(cache.get("gate"))
    patient = asyncio.create_task(cache.get("gate"))
    for _ in range(3):
        await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.wait([impatient])
    gate.set()
    kept = await patient
    return same, one_error, ghost, kept, impatient.cancelled(), cache.started, loads, sorted(cache.tasks)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
