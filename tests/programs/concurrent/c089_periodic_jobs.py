# durable: on
"""Periodic jobs on a drift-free schedule run a fixed number of times; a missed time is made up for."""
import asyncio

from world import effect


class Schedule:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.start = self.loop.time()
        self.runs = []
        self.tasks = []

    def every(self, seconds, function, *, offset=0.0, times):
        async def job():
            for n in range(times):
                due = self.start + offset + n * seconds
                await asyncio.sleep(max(0, due - self.loop.time()))
                assert self.loop.time() >= due - 0.001
                self.runs.append((function.__name__, n))
                await function(n)
            return times

        task = asyncio.create_task(job(), name=function.__name__)
        self.tasks.append(task)
        return task

    async def all_done(self):
        return {task.get_name(): await task for task in self.tasks}


class Timer:
    """Calls itself again and again by call_at, without any task."""

    def __init__(self, loop, period, times):
        self.loop = loop
        self.period = period
        self.left = times
        self.next = loop.time()
        self.log = []
        self.done = loop.create_future()
        self.handle = loop.call_soon(self.fire)

    def fire(self):
        self.log.append(self.left)
        self.left -= 1
        if self.left:
            self.next += self.period
            self.handle = self.loop.call_at(self.next, self.fire)
        else:
            self.done.set_result("timer done")


async def sweep(n):
    await asyncio.sleep(0)


async def backup(n):
    await effect(f"backup {n}")


async def main():
    quiet = Schedule()

    async def even(n):
        pass

    async def odd(n):
        pass

    quiet.every(0.2, even, times=3)
    quiet.every(0.2, odd, offset=0.1, times=2)
    counts = await quiet.all_done()

    busy = Schedule()
    busy.every(0.03, backup, times=4)
    busy.every(0.01, sweep, offset=0.02, times=3)
    timer = Timer(busy.loop, 0.02, 4)
    counts |= await busy.all_done()
    finished = await timer.done
    await effect("stop the clock")
    return quiet.runs, counts, sorted(busy.runs), timer.log, finished, timer.handle.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
