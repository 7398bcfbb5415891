# durable: on
"""A simulation with a clock of its own: processes sleep in simulated time and share machines; exact schedule."""
import asyncio
import heapq
import itertools

from world import effect


class Simulation:
    def __init__(self):
        self.now = 0
        self.events = []
        self.numbers = itertools.count()
        self.active = 0
        self.trace = []
        self.changed = asyncio.Event()

    async def sleep(self, minutes):
        wake = asyncio.get_running_loop().create_future()
        heapq.heappush(self.events, (self.now + minutes, next(self.numbers), wake))
        await self.wait(wake)

    async def wait(self, future):
        """While a process waits it is not active; time goes on when nobody is."""
        self.active -= 1
        self.changed.set()
        await future

    def wake(self, future):
        self.active += 1
        future.set_result(None)

    async def process(self, steps):
        try:
            await steps
        finally:
            self.active -= 1
            self.changed.set()

    async def run(self, *processes):
        self.active = len(processes)
        tasks = [asyncio.create_task(self.process(p)) for p in processes]
        while not all(task.done() for task in tasks):
            self.changed.clear()
            if self.active == 0 and self.events:
                self.now, _, future = heapq.heappop(self.events)
                self.wake(future)
            await self.changed.wait()
            await asyncio.sleep(0)
        return self.trace


class Machine:
    def __init__(self, simulation):
        self.simulation = simulation
        self.busy = False
        self.line = []

    async def use(self, who, minutes):
        if self.busy:
            turn = asyncio.get_running_loop().create_future()
            self.line.append(turn)
            await self.simulation.wait(turn)
        self.busy = True
        self.simulation.trace.append((self.simulation.now, f"{who} starts"))
        await self.simulation.sleep(minutes)
        self.simulation.trace.append((self.simulation.now, f"{who} ends"))
        self.busy = False
        if self.line:
            self.simulation.wake(self.line.pop(0))


async def part(simulation, machine, name, arrives, minutes):
    await simulation.sleep(arrives)
    await machine.use(name, minutes)
    if name == "bolt":
        await effect("inspect the bolt")


async def main():
    simulation = await effect("open the shop", Simulation())
    saw, drill = Machine(simulation), Machine(simulation)
    parts = [(saw, "plank", 0, 5), (saw, "rod", 2, 3), (drill, "bolt", 1, 6), (saw, "beam", 2, 1), (drill, "nut", 7, 2)]
    trace = await simulation.run(*(part(simulation, m, *rest) for m, *rest in parts))
    return trace, simulation.now, simulation.active, saw.line, drill.busy


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
