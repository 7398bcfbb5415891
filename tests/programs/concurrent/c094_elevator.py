# durable: on
"""An elevator task serves the calls of passenger tasks floor by floor; passengers wait for door events."""
import asyncio
from collections import defaultdict

from world import effect


class Elevator:
    def __init__(self, floors):
        self.floors = floors
        self.floor = 0
        self.direction = 1
        self.calls = set()
        self.doors = defaultdict(asyncio.Event)
        self.called = asyncio.Event()
        self.trace = []
        self.riders = []

    def call(self, floor):
        self.calls.add(floor)
        self.called.set()

    async def run(self):
        while True:
            if not self.calls:
                self.trace.append("idle")
                self.called.clear()
                await self.called.wait()
            if self.floor in self.calls:
                self.calls.remove(self.floor)
                await self.open_doors()
                continue
            ahead = [f for f in self.calls if (f - self.floor) * self.direction > 0]
            if not ahead:
                self.direction = -self.direction
            self.floor += self.direction
            self.trace.append(self.floor)
            await asyncio.sleep(0)

    async def open_doors(self):
        door = self.doors.pop(self.floor, None)
        if door is not None:
            door.set()
        for _ in range(3):
            await asyncio.sleep(0)
        self.trace.append(f"[{self.floor}: {' '.join(self.riders)}]")

    async def at(self, floor):
        self.call(floor)
        await self.doors[floor].wait()


async def passenger(name, elevator, start, goal):
    await elevator.at(start)
    elevator.riders.append(name)
    await elevator.at(goal)
    elevator.riders.remove(name)
    return f"{name} is on {elevator.floor}"


async def until_idle(elevator):
    while elevator.trace[-1] != "idle":
        await asyncio.sleep(0)


async def main():
    elevator = Elevator(6)
    await effect("switch on")
    running = asyncio.create_task(elevator.run(), name="elevator")
    trips = [("ann", 0, 4), ("bob", 3, 1), ("cid", 2, 5), ("dot", 5, 0)]
    arrived = await asyncio.gather(*(passenger(name, elevator, a, b) for name, a, b in trips))
    await until_idle(elevator)
    await effect("evening")
    late = await passenger("eve", elevator, 2, 3)
    await until_idle(elevator)
    running.cancel()
    await asyncio.wait([running])
    return arrived, late, elevator.trace, elevator.riders, running.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
