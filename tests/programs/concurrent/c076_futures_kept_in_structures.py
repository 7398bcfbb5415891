# durable: on
"""Futures of threads and tasks are kept in lists, dicts and attributes while other things are awaited."""
import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from world import effect


def measure(text):
    return len(text), text.upper()


def average(numbers):
    return sum(numbers) / len(numbers)


def broken(_):
    raise ArithmeticError("cannot")


@dataclass
class Report:
    title: str
    size: asyncio.Future
    body: asyncio.Task

    async def render(self):
        size, title = await self.size
        return f"{title} ({size}): {await self.body}"


async def main():
    loop = asyncio.get_running_loop()
    reports = [
        Report(title, loop.run_in_executor(None, measure, title), loop.create_task(effect(f"body of {title}", n)))
        for n, title in enumerate(("intro", "methods"))
    ]
    promised = {"ready": loop.create_future(), "later": loop.create_future()}
    promised["ready"].set_result([1, 2, 3])
    await effect("while they are held")

    rendered = [await report.render() for report in reports]
    again = await reports[0].render()

    async def keep_promise():
        await asyncio.sleep(0)
        promised["later"].set_result(await effect("later", [4, 6]))

    keeper = asyncio.create_task(keep_promise())
    lists = await asyncio.gather(*promised.values())
    await keeper

    failing = loop.run_in_executor(None, broken, None)
    await effect("the thread fails meanwhile")
    try:
        await failing
    except ArithmeticError as error:
        failed = str(error), failing.exception() is error

    # a pool of its own, used up within the block
    with ThreadPoolExecutor(max_workers=2) as pool:
        averages = [loop.run_in_executor(pool, average, numbers) for numbers in lists]
        means = await asyncio.gather(*averages)
    same = promised["ready"].result() is lists[0]
    await effect("file the reports")
    return rendered, again, lists, failed, means, same


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
