# durable: on
"""A grave digger ignores the first cancellation, obeys the second; others insist and count."""
import asyncio

from world import effect


class Digger:
    def __init__(self, ignore):
        self.ignore = ignore
        self.ignored = []
        self.ready = asyncio.Event()

    async def dig(self):
        try:
            while True:
                try:
                    self.ready.set()
                    await asyncio.sleep(3600)
                except asyncio.CancelledError as stop:
                    if len(self.ignored) == self.ignore:
                        raise
                    self.ignored.append(stop.args)
                    await effect(f"shrug {len(self.ignored)} of {self.ignore}")
        finally:
            await effect(f"put away spade {self.ignore}")


async def insist(task, digger):
    """Cancel whenever the task waits, until it is gone."""
    attempts = 0
    while True:
        ready = asyncio.create_task(digger.ready.wait())
        await asyncio.wait([ready, task], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            ready.cancel()
            return attempts
        digger.ready.clear()
        attempts += 1
        task.cancel(f"attempt {attempts}")


async def main():
    diggers = [Digger(1), Digger(3), Digger(0)]
    tasks = [asyncio.create_task(d.dig()) for d in diggers]
    attempts = await asyncio.gather(*(insist(t, d) for t, d in zip(tasks, diggers, strict=True)))
    report = [(d.ignored, t.cancelled(), t.cancelling()) for d, t in zip(diggers, tasks, strict=True)]

    # cancelled before its first step: nothing of it runs
    unborn = Digger(5)
    task = asyncio.create_task(unborn.dig())
    task.cancel()
    await asyncio.wait([task])

    # one request during a turn it did not wait in: it strikes at its next await
    async def busy(log):
        me = asyncio.current_task()
        me.cancel("from within")
        log.append("still running")
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError as stop:
            log.append(stop.args)
        log.append(await effect("after its own cancel", "went on"))
        return me.cancelling()

    log = []
    counted = await asyncio.create_task(busy(log))
    return attempts, report, unborn.ignored, unborn.ready.is_set(), task.cancelled(), log, counted


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
