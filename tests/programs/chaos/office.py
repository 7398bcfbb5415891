# durable: on
"""Module-level primitives and data of an imported module: see desk.py."""
import asyncio

from world import effect

jobs = asyncio.Queue(maxsize=3)
lock = asyncio.Lock()
slots = asyncio.Semaphore(2)
ready = asyncio.Event()
changed = asyncio.Condition()
ledger = {}
order = []
total = 0
_client = None


class Client:
    made = 0

    def __init__(self):
        type(self).made += 1
        self.number = type(self).made
        self.calls = 0

    async def call(self, what):
        self.calls += 1
        async with slots:
            return await effect(what, (self.number, what))


class Limiter:
    def __init__(self, n):
        self.free = n
        self.waiting = []
        self.turn = asyncio.Lock()

    async def __aenter__(self):
        while self.free == 0:
            fut = asyncio.get_running_loop().create_future()
            self.waiting.append(fut)
            await fut
        self.free -= 1

    async def __aexit__(self, *exc):
        self.free += 1
        if self.waiting:
            self.waiting.pop(0).set_result(None)


limiter = Limiter(2)


def client():
    global _client
    if _client is None:
        _client = Client()
    return _client


async def add(n):
    global total
    async with lock:
        before = total
        await effect(f"add {n}")
        total = before + n
        ledger[n] = total


async def consume(name):
    await ready.wait()
    while True:
        n = await jobs.get()
        await add(n)
        async with limiter:
            await effect(f"limited {n}")
            await asyncio.sleep(0.01)
        order.append(n)
        async with changed:
            changed.notify_all()
        jobs.task_done()


async def wait_until(count):
    async with changed:
        await changed.wait_for(lambda: len(order) >= count)
    return count
