# durable: on
"""Timers of call_later and call_at fire in the order of their deadlines unless cancelled."""
import asyncio

from world import effect


class Kitchen:
    def __init__(self):
        self.loop = asyncio.get_running_loop()
        self.rung = []
        self.timers = {}
        self.finished = self.loop.create_future()

    def set_timer(self, dish, seconds):
        self.timers[dish] = self.loop.call_later(seconds, self.ring, dish)

    def ring(self, dish):
        self.rung.append(dish)
        del self.timers[dish]
        if dish == "soup":
            self.timers.pop("steak").cancel()
        if not self.timers:
            self.finished.set_result(len(self.rung))


async def main():
    kitchen = Kitchen()
    loop = asyncio.get_running_loop()
    await effect("open the kitchen")
    kitchen.set_timer("roast", 0.4)
    kitchen.set_timer("egg", 0.05)
    kitchen.set_timer("steak", 0.3)
    kitchen.set_timer("soup", 0.17)
    kitchen.set_timer("tea", 0)
    burnt = loop.call_later(0.1, kitchen.rung.append, "burnt")
    burnt.cancel()
    when = burnt.when() <= kitchen.timers["roast"].when(), burnt.cancelled()
    served = await kitchen.finished

    at = loop.create_future()
    start = loop.time()
    handle = loop.call_at(start + 0.05, at.set_result, "call_at fired")
    exact = handle.when() == start + 0.05
    text = await at

    async def cook(dish):
        kitchen.rung.append(f"cook {dish}")
        return await effect(f"cook {dish}", dish)

    tasks = []
    go = asyncio.Event()

    def later(dish):
        tasks.append(loop.create_task(cook(dish)))
        if len(tasks) == 2:
            go.set()

    loop.call_later(0.12, later, "second")
    loop.call_later(0.01, later, "first")
    await go.wait()
    dishes = await asyncio.gather(*tasks)
    never = loop.call_later(3600, kitchen.ring, "never")
    await effect("close the kitchen")
    never.cancel()
    return kitchen.rung, when, served, exact, text, dishes, never.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
