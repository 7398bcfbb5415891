# durable: on
"""Everything of asyncio is imported where it is used, under other names, by functions, classes and tasks."""
from world import effect


def make_tools():
    from asyncio import Event as Flag
    from asyncio import Lock as Latch

    return Flag(), Latch()


class Squad:
    import asyncio as aio

    def __init__(self, names):
        from asyncio import Queue as Line

        self.line = Line()
        self.names = names

    async def drill(self):
        from asyncio import TaskGroup as Group

        async with Group() as group:
            tasks = [group.create_task(self.soldier(name), name=name) for name in self.names]
            order = [await self.line.get() for _ in self.names]
        return order, [t.result() for t in tasks]

    async def soldier(self, name):
        for _ in range(len(name)):
            await self.aio.sleep(0)
        await self.line.put(name)
        return self.aio.current_task().get_name()


async def guarded(latch, flag, log, name):
    async with latch:
        log.append(name)
        await flag.wait()
    return name


async def main():
    import asyncio.tasks as tasks_module
    from asyncio import create_task as spawn
    from asyncio import gather as together
    from asyncio import sleep as nap
    from asyncio import timeout as limit

    flag, latch = make_tools()
    log = []
    waiting = [spawn(guarded(latch, flag, log, n)) for n in ("one", "two", "three")]
    await nap(0)
    before = tuple(log)
    await effect("raise the flag")
    flag.set()
    names = await together(*waiting)
    squad = Squad(["private", "sergeant", "major"])
    drill = await squad.drill()
    try:
        async with limit(0.02):
            await tasks_module.wait([spawn(nap(3600))])
    except TimeoutError:
        log.append("timed out")
    for task in tasks_module.all_tasks() - {tasks_module.current_task()}:
        task.cancel()
        await tasks_module.wait({task})
        log.append(task.cancelled())
    await effect("lower the flag")
    return before, names, log, drill, tasks_module is __import__("asyncio").tasks


if __name__ == "__main__":
    from asyncio import run as start

    print(repr(start(main())))
