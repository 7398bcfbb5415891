# durable: on
"""Bookings run in parallel; if one fails, those that were made are undone in parallel, in reverse layers."""
import asyncio

from world import effect, fail


class Unbookable(Exception):
    pass


class Saga:
    def __init__(self, name):
        self.name = name
        self.layers = []
        self.log = []

    async def together(self, *steps):
        """Run the steps at the same time; remember how to undo the ones that worked."""
        tasks = [asyncio.create_task(do()) for do, _ in steps]
        await asyncio.wait(tasks)
        done = [undo for task, (_, undo) in zip(tasks, steps, strict=True) if not task.exception()]
        self.layers.append(done)
        errors = [task.exception() for task in tasks if task.exception()]
        if errors:
            raise ExceptionGroup(self.name, errors)
        return [task.result() for task in tasks]

    async def roll_back(self):
        for layer in reversed(self.layers):
            self.log.append(sorted(await asyncio.gather(*(undo() for undo in layer))))
        self.layers.clear()


def booking(trip, what, ok=True):
    async def book():
        if not ok:
            await fail(f"{trip}: refuse {what}", Unbookable(what))
        return await effect(f"{trip}: book {what}", what)

    async def cancel():
        return await effect(f"{trip}: cancel {what}", f"no {what}")

    return book, cancel


async def travel(trip, *layers):
    saga = Saga(trip)
    try:
        booked = [await saga.together(*layer) for layer in layers]
    except* Unbookable as group:
        saga.log.append((group.message, [str(e) for e in group.exceptions]))
        await asyncio.shield(saga.roll_back())
        booked = None
    return booked, saga.log


async def main():
    rome = travel(
        "rome",
        [booking("rome", "flight"), booking("rome", "insurance")],
        [booking("rome", "hotel"), booking("rome", "car", ok=False), booking("rome", "tour", ok=False)],
    )
    oslo = travel("oslo", [booking("oslo", "flight")], [booking("oslo", "hotel"), booking("oslo", "boat")])
    return await asyncio.gather(rome, oslo)


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
