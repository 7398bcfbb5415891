# durable: on
"""Tasks made, gathered and grouped inside a generator ``__await__`` belong to the program."""
import asyncio

from world import effect


class Crew:
    """Awaiting it lets some tasks work, in several ways."""

    def __init__(self, name, log):
        self.name = name
        self.log = log

    def __await__(self):
        task = asyncio.create_task(self.work("made"), name=f"{self.name} made")
        self.log.append(task.get_name())
        yield
        gathered = yield from asyncio.gather(self.work("one"), Worker(self, "two"), task).__await__()
        grouped = yield from self.group().__await__()
        self.log.append(sorted(t.get_name() for t in asyncio.all_tasks() if t.get_name().startswith(self.name)))
        return gathered, grouped

    async def work(self, name):
        await asyncio.sleep(0)
        return await effect(f"{self.name} {name}", name)

    async def group(self):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.work(f"grouped {n}")) for n in range(2)]
        return [task.result() for task in tasks]


class Worker:
    def __init__(self, crew, name):
        self.crew = crew
        self.name = name

    def __await__(self):
        first = yield from self.crew.work(f"{self.name} first").__await__()
        yield
        second = yield from self.crew.work(f"{self.name} second").__await__()
        return first, second


async def main():
    log = []
    crews = [Crew(name, log) for name in ("north", "south")]
    results = await asyncio.gather(*crews)
    results.append(await asyncio.wait_for(Worker(crews[0], "late"), 30))
    waited = asyncio.ensure_future(Worker(crews[1], "later"))
    async with asyncio.timeout(30):
        results.append(await waited)
    return results, sorted(map(str, log))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
