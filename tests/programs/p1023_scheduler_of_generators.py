# durable: on
"""A cooperative scheduler runs generator processes with a heap of wake-up times and mailboxes of its own."""
import asyncio
import collections
import heapq
import itertools

from world import effect


class World:
    def __init__(self):
        self.heap = []
        self.tie = itertools.count()
        self.now = 0
        self.boxes = collections.defaultdict(collections.deque)
        self.waiting = {}
        self.trace = []

    def spawn(self, name, process):
        heapq.heappush(self.heap, (self.now, next(self.tie), name, process, None))

    async def run(self):
        while self.heap:
            self.now, _, name, process, value = heapq.heappop(self.heap)
            try:
                request = process.send(value)
            except StopIteration as stop:
                self.trace.append((self.now, name, "end", stop.value))
                continue
            self.trace.append((self.now, name, *request))
            match request:
                case ("sleep", n):
                    n = await effect(f"{name} sleeps", n)
                    heapq.heappush(self.heap, (self.now + n, next(self.tie), name, process, self.now))
                case ("send", to, message):
                    self.boxes[to].append(message)
                    heapq.heappush(self.heap, (self.now, next(self.tie), name, process, None))
                    if to in self.waiting:
                        self.wake(to)
                case ("receive",):
                    self.waiting[name] = process
                    if self.boxes[name]:
                        self.wake(name)
        return sorted(self.waiting)

    def wake(self, name):
        process = self.waiting.pop(name)
        heapq.heappush(self.heap, (self.now, next(self.tie), name, process, self.boxes[name].popleft()))


def ping(n):
    for i in range(n):
        yield "sleep", 3
        yield "send", "pong", i
    return "done"


def pong():
    got = []
    while len(got) < 2:
        message = yield ("receive",)
        got.append(message)
        slept = yield ("sleep", message + 1)
        got.append(("at", slept))
    yield "send", "nobody", tuple(got)
    yield ("receive",)


async def main():
    world = World()
    world.spawn("ping", ping(2))
    world.spawn("pong", pong())
    left = await world.run()
    await effect("quiet")
    box = {name: list(messages) for name, messages in world.boxes.items()}
    for process in world.waiting.values():
        process.close()
    return world.trace, left, box, world.now


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
