# durable: on
"""An event emitter calls plain and async listeners, one-shot and removed ones, and waits for what they started."""
import asyncio as aio
import inspect
from collections import defaultdict

from world import effect, fail


class Emitter:
    def __init__(self):
        self.listeners = defaultdict(list)
        self.tasks = set()
        self.errors = []

    def on(self, event, listener=None, *, once=False):
        if listener is None:
            return lambda function: self.on(event, function, once=once)
        self.listeners[event].append((listener, once))
        return listener

    def off(self, event, listener):
        self.listeners[event] = [entry for entry in self.listeners[event] if entry[0] != listener]

    def emit(self, event, *args):
        for listener, once in list(self.listeners[event]):
            if once:
                self.off(event, listener)
            result = listener(*args)
            if inspect.isawaitable(result):
                task = aio.ensure_future(result)
                self.tasks.add(task)
                task.add_done_callback(self._ended)
        return len(self.listeners[event])

    def _ended(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.errors.append(error)
            self.emit("error", error)

    async def settle(self):
        rounds = 0
        while self.tasks:
            await aio.wait(self.tasks)
            await aio.sleep(0)
            rounds += 1
        return rounds > 0


class Counter:
    def __init__(self):
        self.total = 0

    def add(self, n):
        self.total += n


async def main():
    emitter, counter, trace = Emitter(), Counter(), []
    emitter.on("data", counter.add)
    emitter.on("data", lambda n: trace.append(f"lambda {n}"))

    @emitter.on("data")
    async def store(n):
        trace.append(f"store {n}")
        if n == 2:
            await fail("store 2", OverflowError(n))
        await effect(f"store {n}")

    @emitter.on("data", once=True)
    async def first(n):
        await aio.sleep(0)
        trace.append(f"first was {n}")

    emitter.on("error", lambda error: trace.append(repr(error)))
    left = [emitter.emit("data", 1), emitter.emit("data", 2)]
    settled = [await emitter.settle()]
    emitter.off("data", counter.add)
    emitter.off("data", store)
    left.append(emitter.emit("data", 4))
    settled.append(await emitter.settle())
    kind = inspect.iscoroutinefunction(store)
    return left, settled, counter.total, trace, [e.args for e in emitter.errors], kind, len(emitter.tasks)


if __name__ == "__main__":
    print(repr(aio.run(main())))
