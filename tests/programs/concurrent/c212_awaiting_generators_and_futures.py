# durable: on
"""Generators that await wait for futures, tasks, events and objects of the program's own that wake them."""
import asyncio

from world import effect


class Promise:
    """A future of its own, over asyncio's."""

    def __init__(self, log):
        self.future = asyncio.get_running_loop().create_future()
        self.log = log

    def __await__(self):
        self.log.append("asked")
        if not self.future.done():
            value = yield from self.future
        else:
            value = self.future.result()
        self.log.append("answered")
        return value


class Both:
    def __init__(self, first, second):
        self.parts = first, second

    def __await__(self):
        found = []
        for part in self.parts:
            found.append((yield from part.__await__()))
        return found


class Turnstile:
    """Awaits by hand what asyncio's futures are awaited by."""

    def __init__(self):
        self.future = asyncio.get_running_loop().create_future()

    def __await__(self):
        self.future._asyncio_future_blocking = True
        yield self.future
        return self.future.result(), "passed"


async def asks(promise, name):
    try:
        return name, await promise
    except LookupError as error:
        return name, error.args


async def main():
    log = []
    promise, failing, turnstile, event = Promise(log), Promise(log), Turnstile(), asyncio.Event()
    tasks = [asyncio.create_task(asks(promise, n)) for n in range(2)]
    tasks.append(asyncio.create_task(asks(failing, "fails")))
    tasks.append(asyncio.create_task(asks(turnstile, "turnstile")))
    tasks.append(asyncio.create_task(asks(Both(event.wait(), tasks[0]), "both")))
    await asyncio.sleep(0)
    await effect("all wait")
    promise.future.set_result(await effect("the result", "value"))
    turnstile.future.set_result(1)
    await effect("some were woken")
    failing.future.set_exception(LookupError("nothing"))
    event.set()
    out = await asyncio.gather(*tasks)
    out.append(await Both(promise, tasks[1]))
    out.append(await effect("the last"))
    return out, log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
