# durable: on
"""Tasks await one another in chains, diamonds and crowds; wake-ups go in the order of asking."""
from asyncio import create_task, current_task, gather, run, sleep

from world import effect


class Step:
    """A step of a recipe starts when the steps it needs are done."""

    log = []

    def __init__(self, name, *needs, turns=0):
        self.name = name
        self.needs = needs
        self.turns = turns
        self.task = create_task(self.run(), name=name)

    async def run(self):
        inputs = []
        for step in self.needs:
            inputs.append(await step.task)
        for _ in range(self.turns):
            await sleep(0)
        self.log.append(self.name)
        return f"{self.name}({' '.join(inputs)})"


async def crowd(target, name, woken):
    value = await target
    woken.append(name)
    return value


async def refuse_to_await_oneself():
    try:
        await current_task()
    except RuntimeError:
        return "refused"


async def main():
    flour, egg = Step("flour", turns=3), Step("egg")
    dough = Step("dough", flour, egg)
    sugar = Step("sugar", turns=1)
    icing = Step("icing", sugar, egg, turns=2)
    cake = Step("cake", dough, icing)
    cooked = await cake.task
    quick = list(Step.log)

    woken = []
    target = create_task(effect("slow thing", ["value"]))
    waiting = [create_task(crowd(target, n, woken), name=n) for n in ("first", "second", "third")]
    values = await gather(*waiting)
    late = await crowd(target, "late", woken)
    one = all(v is values[0] for v in [*values, late])

    # the same task is given twice, and the answer comes twice
    twice = await gather(target, target, crowd(target, "gathered", woken))
    # results of finished tasks are had without a turn for others
    turns = []
    other = create_task(crowd(sleep(0), "other", turns))
    await target
    await cake.task
    turns.append("main had two results")
    await other
    await effect("wash up")
    return cooked, quick, woken, one, len(twice), turns, await create_task(refuse_to_await_oneself())


if __name__ == "__main__":
    print(repr(run(main())))
