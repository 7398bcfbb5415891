# durable: on
"""Many tasks run errands. Each effect is given the names of all those whose outcomes the program knows when it begins."""
import asyncio

from durable_import import wait_for_event
from tests.programs.order import outside


class Errands:
    """Of instance ``name``. ``known``: the outcomes of effects."""

    def __init__(self, name):
        self.name = name
        self.known = {}

    async def do(self, effect, how):
        self.known[effect] = await how(self.name, effect, tuple(self.known))

    async def do_in_thread(self, effect):
        self.known[effect] = await asyncio.to_thread(outside.work, self.name, effect, tuple(self.known))

    async def try_again(self, task, first):
        for number, how in enumerate((outside.fail, outside.fail_at_once, outside.do), first):
            try:
                return await self.do(f"{task}.{number}", how)
            except LookupError:
                self.known[f"{task}.{number}"] = "failed"

    async def do_in_time(self, effect, seconds):
        try:
            await asyncio.wait_for(self.do(effect, outside.hang), seconds)
        except TimeoutError:
            self.known[effect] = "too late"


async def visit(errands, task, slots):
    async with slots:
        await errands.do(f"{task}.1", outside.wait)
        await errands.do(f"{task}.2", outside.do)
        await errands.do_in_thread(f"{task}.3")
    await asyncio.sleep(0.01)
    await errands.try_again(task, 4)


async def ask(errands, asked):
    await errands.do("ask.1", outside.ask)
    asked.set()
    await errands.do("ask.2", outside.wait)


async def answer(errands, asked):
    await asked.wait()
    await errands.do("answer.1", outside.do)
    errands.known["event"] = await wait_for_event("answer")
    await errands.do("answer.2", outside.do)


async def main(name, width):
    errands, slots, asked = Errands(name), asyncio.Semaphore(width // 2), asyncio.Event()
    await errands.do("main.1", outside.wait)
    await errands.do("main.2", outside.do)
    await asyncio.gather(*(visit(errands, f"child{number}", slots) for number in range(width)))
    await errands.do_in_time("late.1", 0.15)
    await asyncio.sleep(0.1)
    await asyncio.gather(ask(errands, asked), answer(errands, asked))
    await errands.do("main.3", outside.wait)
    return errands.known
