# durable: on
"""Services are async context managers with a task inside; leaving the block stops them, errors or not."""
import asyncio
from contextlib import AsyncExitStack, asynccontextmanager

from world import effect, fail


class Service:
    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.requests = asyncio.Queue()
        self.task = None

    async def __aenter__(self):
        await effect(f"start {self.name}")
        self.task = asyncio.create_task(self.serve(), name=self.name)
        self.log.append(f"{self.name} up")
        return self

    async def __aexit__(self, kind, error, trace):
        self.task.cancel()
        try:
            await self.task
        except asyncio.CancelledError:
            self.log.append(f"{self.name} down")
        await effect(f"stopped {self.name}")

    async def serve(self):
        while True:
            question, reply = await self.requests.get()
            reply.set_result(await effect(f"{self.name} answers {question}", f"{self.name}:{question}"))

    async def ask(self, question):
        reply = asyncio.get_running_loop().create_future()
        await self.requests.put((question, reply))
        return await reply


@asynccontextmanager
async def ticking(log, ticks):
    """Runs a ticker beside the block and stops it, whatever happens in the block."""

    async def tick():
        while True:
            ticks.append(len(ticks))
            await asyncio.sleep(3600 if len(ticks) == 4 else 0)

    ticker = asyncio.create_task(tick())
    try:
        yield ticks
    finally:
        ticker.cancel()
        await asyncio.wait([ticker])
        log.append(f"ticker stopped: {ticker.cancelled()}")


async def main():
    log, ticks = [], []
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Service("db", log))
        cache = await stack.enter_async_context(Service("cache", log))
        await stack.enter_async_context(ticking(log, ticks))
        answers = await asyncio.gather(database.ask("rows"), cache.ask("hits"), database.ask("size"))
        while len(ticks) < 4:
            await asyncio.sleep(0)
    states = database.task.cancelled(), cache.task.done()
    try:
        async with Service("shaky", log) as shaky, ticking(log, second := []):
            answers.append(await shaky.ask("ready?"))
            await fail("the block fails", KeyError("block"))
    except KeyError as error:
        log.append(repr(error))
    return answers, log, ticks, states, bool(second)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
