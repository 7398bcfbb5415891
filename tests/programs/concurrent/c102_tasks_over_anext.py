# durable: on
"""A task may drive one step of an asynchronous generator: streams are merged by racing their next items."""
import asyncio

from world import effect


async def stream(name, count, ended):
    try:
        for n in range(count):
            yield await effect(f"{name}{n}", f"{name}{n}")
    finally:
        await effect(f"close {name}")
        ended.append(name)


async def doubled(items):
    async for item in items:
        yield item * 2


class Merge:
    def __init__(self, *streams):
        self.streams = list(streams)
        self.steps = {}

    async def __aiter__(self):
        for each in self.streams:
            self.ask(each)
        while self.steps:
            done, _ = await asyncio.wait(self.steps, return_when=asyncio.FIRST_COMPLETED)
            for step in [s for s in self.steps if s in done]:
                each = self.steps.pop(step)
                try:
                    yield step.result()
                except StopAsyncIteration:
                    continue
                self.ask(each)

    def ask(self, each):
        self.steps[asyncio.ensure_future(anext(each))] = each


async def endless(ended):
    try:
        while True:
            yield "tick"
            await asyncio.Event().wait()
    finally:
        ended.append("endless")


async def main():
    ended = []
    merged = Merge(stream("a", 3, ended), doubled(stream("b", 2, ended)), stream("c", 1, ended))
    got = [item async for item in merged]

    # a step that is cancelled, and the effect of closing the generator
    generator = endless(ended)
    first = await anext(generator)
    step = asyncio.ensure_future(anext(generator))
    await effect("while it ticks")
    await asyncio.sleep(0.02)
    step.cancel("enough")
    try:
        await step
    except asyncio.CancelledError as error:
        end = error.args
    closing = asyncio.ensure_future(stream("d", 1, ended).aclose())
    asked = stream("e", 5, ended)
    await anext(asked)
    await asyncio.gather(closing, asyncio.ensure_future(asked.aclose()))
    return sorted(got), sorted(ended), first, end, step.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
