# durable: on
"""The program closes coroutines before the tasks that are to run them have begun: these fail when they do."""
import asyncio

from world import effect


class Waits:
    def __init__(self, name, log):
        self.name = name
        self.log = log

    def __await__(self):
        self.log.append((yield from effect(f"{self.name} waits", self.name).__await__()))
        yield
        return self.name


async def waits(name, log):
    try:
        return await Waits(name, log)
    finally:
        log.append(await effect(f"{name} ends", "ends"))


async def main():
    log = []
    coroutines = [waits(name, log) for name in ("first", "second")]
    tasks = [asyncio.create_task(c) for c in coroutines]
    coroutines[0].close()
    log.append([task.done() for task in tasks])
    await effect("one is closed")
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    return [repr(e) for e in ended], log, await effect("the last", "last")


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
