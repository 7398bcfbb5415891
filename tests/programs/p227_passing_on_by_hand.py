# durable: on
"""Generators that advance what they await by themselves, and pass on what it yields, are as natively."""
import asyncio

from world import effect, fail


class Counted:
    """Counts how often what it stands for gives way."""

    def __init__(self, awaitable):
        self.awaitable = awaitable
        self.result = None

    def __await__(self):
        iterator = self.awaitable.__await__()
        try:
            given = next(iterator)
            while True:
                try:
                    answer = yield given
                except Exception as error:
                    given = iterator.throw(error)
                else:
                    given = iterator.send(answer)
        except StopIteration as stop:
            self.result = stop.value
        return self.result


class Loops:
    """Passes on what it gets in a loop."""

    def __init__(self, awaitable):
        self.awaitable = awaitable

    def __await__(self):
        for given in self.awaitable.__await__():
            yield given
        return "looped"


async def work(name):
    await asyncio.sleep(0)
    try:
        await fail(f"{name} fails", OSError(name))
    except OSError as error:
        await asyncio.sleep(0.01)
        return error.args


async def main():
    out = [await Counted(effect("counted", 1)), await Loops(effect("looped", 2)), await effect("between", 3)]
    out.append(await Counted(work("work")))
    out.append(await Loops(asyncio.sleep(0.01)))
    out.append(await Counted(Loops(effect("nested", 4))))
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
