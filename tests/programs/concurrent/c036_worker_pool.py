# durable: on
"""A worker pool with a semaphore runs submitted jobs, keeps their order, limits and collects failures."""
import asyncio
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable

from world import effect, fail


@dataclass
class Job:
    number: int
    fn: Callable[..., Awaitable[Any]]
    args: tuple
    status: str = "queued"
    result: Any = None


@dataclass
class Pool:
    limit: int
    jobs: list = field(default_factory=list)
    tasks: set = field(default_factory=set)
    active: int = 0
    peak: int = 0

    def __post_init__(self):
        self.slots = asyncio.Semaphore(self.limit)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        while self.tasks:
            await asyncio.wait(self.tasks)

    def submit(self, fn, *args):
        job = Job(len(self.jobs), fn, args)
        self.jobs.append(job)
        task = asyncio.get_running_loop().create_task(self.run(job), name=f"job {job.number}")
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return job

    async def run(self, job):
        async with self.slots:
            self.active += 1
            self.peak = max(self.peak, self.active)
            job.status = "running"
            try:
                job.result = await job.fn(*job.args)
                job.status = "done"
            except ArithmeticError as error:
                job.result = error
                job.status = "failed"
            finally:
                self.active -= 1


async def thumbnail(pool, name, sizes):
    pixels = await effect(f"decode {name}", len(name))
    for size in sizes:
        pool.submit(scale, name, pixels, size)
    return pixels


async def scale(name, pixels, size):
    if size == 0:
        await fail(f"scale {name} to 0", ZeroDivisionError(name))
    return await effect(f"scale {name} to {size}", pixels * size)


async def main():
    async with Pool(limit=2) as pool:
        first = [pool.submit(thumbnail, pool, n, s) for n, s in (("cat", (1, 2)), ("bird", (0,)), ("horse", (3,)))]
        queued = [job.status for job in first]
    scaled = sorted((j.args[0], j.args[2], j.status, repr(j.result)) for j in pool.jobs[3:])
    return queued, [(j.number, j.status, j.result) for j in first], scaled, pool.peak <= 2, pool.active, pool.tasks


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
