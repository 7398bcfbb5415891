# durable: on
"""Tasks, timers and a locked lock are left behind when main returns; asyncio.run cancels what still runs."""
import asyncio

from world import effect


class Clock:
    def __init__(self):
        self.ticks = []
        self.started = asyncio.Event()
        self.farewell = []

    async def run(self):
        try:
            while True:
                self.ticks.append(len(self.ticks))
                if len(self.ticks) == 3:
                    self.started.set()
                await asyncio.sleep(0 if len(self.ticks) < 3 else 3600)
        except asyncio.CancelledError:
            self.farewell.append("clock stops")
            raise
        finally:
            await asyncio.sleep(0)
            self.farewell.append("clock is put away")


async def holder(lock, held):
    async with lock:
        held.set()
        await asyncio.Event().wait()


async def waiter(lock):
    async with lock:
        raise AssertionError("nobody lets go of the lock")


async def stream():
    try:
        while True:
            yield await effect("first item", "item")
            await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)


async def follow(source, items):
    async for item in source:
        items.put_nowait(item)


async def main():
    clock, lock, held, items = Clock(), asyncio.Lock(), asyncio.Event(), asyncio.Queue()
    left = [
        asyncio.create_task(clock.run(), name="clock"),
        asyncio.create_task(holder(lock, held), name="holder"),
        asyncio.create_task(waiter(lock), name="waiter"),
        asyncio.create_task(follow(stream(), items), name="follower"),
    ]
    asyncio.get_running_loop().call_later(3600, print, "never printed")
    await clock.started.wait()
    await held.wait()
    item = await items.get()
    await effect("look once more")
    never_started = asyncio.create_task(clock.run(), name="never started")
    states = [(task.get_name(), task.done()) for task in [*left, never_started]]
    return states, item, list(clock.ticks), list(clock.farewell), lock.locked()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
