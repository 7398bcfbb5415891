# durable: on
"""`anext` with a default is under way in several tasks while others go on: generators, and an object's own `__anext__`."""
import asyncio

from world import effect


async def numbers(name, count):
    for n in range(count):
        await asyncio.sleep(0)
        yield await effect(f"{name}{n}", n)


class Countdown:
    def __init__(self, start):
        self.at = start

    async def __anext__(self):
        if not self.at:
            raise StopAsyncIteration
        self.at -= 1
        await asyncio.sleep(0)
        return await effect(f"countdown {self.at}", self.at)


async def drain(source, default):
    found = []
    while (item := await anext(source, default)) is not default:
        found.append(item)
        await asyncio.sleep(0)
    return found, await anext(source, "over")


async def ticks(seen, count):
    for n in range(count):
        seen.append(n)
        await asyncio.sleep(0)


async def waiting(event):
    await event.wait()
    yield "never"


async def main():
    default, seen = object(), []
    drained = await asyncio.gather(
        drain(numbers("a", 2), default), drain(numbers("b", 3), default), drain(Countdown(2), default), ticks(seen, 5)
    )

    # a task may drive such a step by itself, if it is made into one that ends well or is cancelled
    generator = waiting(asyncio.Event())
    step = asyncio.ensure_future(anext(generator, "none"))
    await effect("while it waits")
    step.cancel("enough")
    try:
        await step
    except asyncio.CancelledError as error:
        ended = error.args
    last = await asyncio.ensure_future(anext(generator, "none"))
    return drained, seen, ended, last


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
