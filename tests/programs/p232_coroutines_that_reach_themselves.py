# durable: on
"""A coroutine that is being run is also in a list which a variable that it captures leads to, or one that it shares."""
import asyncio

from world import effect


async def held_in_what_it_captures():
    held = []

    async def count(limit):
        total = 0
        while total < limit:
            total += await effect(f"captured {total}", 1)
        return total, len(held)

    def hold(coroutine):
        held.append(coroutine)
        return coroutine

    return await hold(count(3)), [each.cr_frame is None for each in held]


class Crew:
    def __init__(self):
        self.members = []
        self.log = []

    async def work(self, name):
        def note(what):
            self.log.append((name, what, len(self.members)))

        for step in range(2):
            note(await effect(f"{name} {step}", step))
        return name

    async def run(self):
        for name in "ab":
            self.members.append(self.work(name))
            await self.members[-1]
        return self.log


async def captured_by_two(times):
    count, waiting = 0, []

    async def one():
        nonlocal count
        for _ in range(times):
            count += await effect(f"one {count}", 1)
        return await other()

    async def other():
        nonlocal count
        count += await effect(f"other {count}", 10)
        return count, len(waiting)

    waiting.append(one())
    return await waiting[0]


async def main():
    return await held_in_what_it_captures(), await Crew().run(), await captured_by_two(2)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
