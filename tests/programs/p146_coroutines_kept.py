# durable: on
"""Coroutine objects are created early, kept in lists, dicts, attributes and arguments, and awaited later."""
import asyncio

from world import effect


class Job:
    def __init__(self, name, coro):
        self.name = name
        self.coro = coro


class Worker:
    def __init__(self):
        self.done = []

    async def work(self, name, *, times=1):
        for i in range(times):
            self.done.append(await effect(f"{name} {i}", (name, i)))
        return len(self.done)


async def run_one(coro, extra):
    await effect(f"before {extra}")
    return extra, await coro


async def main():
    worker = Worker()
    queue = [worker.work("a"), worker.work("b", times=2)]
    table = {"c": worker.work("c")}
    job = Job("d", worker.work("d"))
    passed = run_one(worker.work("e"), "extra")
    unused = worker.work("never")
    await effect("made")
    out = [await queue.pop()]
    out.append(await table["c"])
    out.append(await passed)
    await effect("half")
    out.append(await job.coro)
    for coro in queue:
        out.append(await coro)
    unused.close()
    await effect("closed")
    try:
        await job.coro
    except RuntimeError as error:
        out.append(str(error))
    return out, worker.done, passed.cr_frame is None


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
