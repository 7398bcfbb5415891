# durable: on
"""A scheduler of its own runs coroutines by priority and deadline on two slots, with ageing."""
import asyncio
import heapq
import itertools
from typing import NamedTuple

from world import effect


class Entry(NamedTuple):
    priority: int
    number: int
    name: str
    job: object


class Scheduler:
    def __init__(self, slots):
        self.heap = []
        self.numbers = itertools.count()
        self.slots = slots
        self.running = set()
        self.idle = asyncio.Event()
        self.idle.set()
        self.trace = []
        self.results = {}

    def add(self, priority, name, job):
        heapq.heappush(self.heap, Entry(priority, next(self.numbers), name, job))
        self.idle.clear()
        self.fill()

    def fill(self):
        while self.heap and len(self.running) < self.slots:
            entry = heapq.heappop(self.heap)
            task = asyncio.create_task(entry.job(self), name=entry.name)
            self.running.add(task)
            self.trace.append(f"start {entry.name}")
            task.add_done_callback(self.ended)
            self.age()

    def age(self):
        self.heap = [e._replace(priority=e.priority - 1) for e in self.heap]
        heapq.heapify(self.heap)

    def ended(self, task):
        self.running.remove(task)
        self.trace.append(f"end {task.get_name()}")
        self.results[task.get_name()] = task.result()
        self.fill()
        if not self.running and not self.heap:
            self.idle.set()


def steps(count, *more):
    async def job(scheduler):
        for _ in range(count):
            await asyncio.sleep(0)
        for priority, name, child in more:
            scheduler.add(priority, name, child)
        return count

    return job


def outside(name):
    async def job(scheduler):
        return await effect(name, name)

    return job


async def main():
    quiet = Scheduler(slots=2)
    quiet.add(5, "backup", steps(2))
    quiet.add(5, "index", steps(6, (0, "alert", steps(1))))
    quiet.add(9, "cleanup", steps(1))
    quiet.add(1, "mail", steps(3, (7, "receipt", steps(0))))
    quiet.add(4, "sync", steps(2))
    await quiet.idle.wait()
    noisy = Scheduler(slots=1)
    for priority, name in ((3, "pack"), (1, "label"), (2, "ship")):
        noisy.add(priority, name, outside(name))
    await noisy.idle.wait()
    return quiet.trace, quiet.results, noisy.trace, noisy.results


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
