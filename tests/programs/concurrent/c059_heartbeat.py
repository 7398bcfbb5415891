# durable: on
"""Heartbeats run beside the work, a watchdog listens to them; all are cancelled at the end."""
import asyncio

from world import effect


class Heart:
    def __init__(self, name, every):
        self.name = name
        self.every = every
        self.beats = 0
        self.changed = asyncio.Condition()
        self.stopped = None

    async def beat(self):
        try:
            while True:
                await asyncio.sleep(self.every)
                async with self.changed:
                    self.beats += 1
                    self.changed.notify_all()
        except asyncio.CancelledError as stop:
            self.stopped = stop.args
            raise

    async def reached(self, beats):
        async with self.changed:
            await self.changed.wait_for(lambda: self.beats >= beats)
        return f"{self.name} has beaten {beats} times"


async def watchdog(heart, patience, alarm):
    """Raise the alarm when a heart does not beat for too long."""
    seen = 0
    while True:
        try:
            async with asyncio.timeout(patience):
                await heart.reached(seen + 1)
                seen += 1
        except TimeoutError:
            alarm.append(heart.name)
            return seen


async def main():
    quick, slow, dead = Heart("quick", 0.01), Heart("slow", 0.03), Heart("dead", 3600)
    hearts = [quick, slow, dead]
    tasks = [asyncio.create_task(h.beat(), name=h.name) for h in hearts]
    alarm = []
    dog = asyncio.create_task(watchdog(dead, 0.1, alarm))
    work = await asyncio.gather(effect("part one", 1), effect("part two", 2), quick.reached(5), slow.reached(2))
    seen = await dog
    await effect("part three")
    for task in tasks:
        task.cancel(f"{task.get_name()} may rest")
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    return (
        work,
        seen,
        alarm,
        [h.stopped for h in hearts],
        [type(e).__name__ for e in ends],
        quick.beats >= 5 and slow.beats >= 2,
        dead.beats,
    )


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
