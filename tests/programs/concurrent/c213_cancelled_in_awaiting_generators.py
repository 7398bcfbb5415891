# durable: on
"""Cancellations and timeouts arrive inside generators that await: at a ``yield``, a future, a coroutine, a ``finally``."""
import asyncio

from world import effect


class Waits:
    """Waits for ever, in some way, and cleans up with an effect when it is cancelled."""

    def __init__(self, name, log):
        self.name = name
        self.log = log

    def __await__(self):
        try:
            yield from self.how()
        except asyncio.CancelledError as error:
            yield
            self.log.append((self.name, "cancelled", error.args))
            if self.name != "coroutine":
                raise
            self.log.append((yield from effect(f"{self.name} goes on", self.name).__await__()))
        finally:
            yield
            self.log.append((yield from effect(f"{self.name} cleans up", self.name).__await__()))
        return "kept"

    def how(self):
        if self.name == "yields":
            while True:
                yield
        elif self.name == "future":
            yield from asyncio.get_running_loop().create_future()
        else:
            yield from self.for_ever().__await__()

    async def for_ever(self):
        try:
            await asyncio.Event().wait()
        finally:
            self.log.append((self.name, "left"))


async def waits(name, log):
    try:
        return await Waits(name, log)
    except asyncio.CancelledError as error:
        return name, error.args


async def main():
    log = []
    names = ("yields", "future", "coroutine", "event")
    tasks = [asyncio.create_task(waits(name, log)) for name in names]
    await asyncio.sleep(0)
    await effect("all wait")
    for number, task in enumerate(tasks):
        task.cancel(number)
    ended = await asyncio.gather(*tasks)
    for name in ("future", "event"):
        try:
            async with asyncio.timeout(0.05):
                await Waits(name, own := [])
        except TimeoutError:
            log += [("timeout", *own)]
    try:
        await asyncio.wait_for(Waits("coroutine", log), 30 * (await effect("patience", 0)) + 0.05)
    except TimeoutError:
        log.append("waited for")
    before = asyncio.create_task(waits("yields", log))
    before.cancel()
    ended += await asyncio.gather(before, return_exceptions=True)
    return [repr(e) for e in ended], sorted(map(repr, log))


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
