# durable: on
"""Bound methods, unbound methods, classmethods, staticmethods and partials kept over awaits and called later."""
import asyncio
import functools
import operator

from world import effect


class Machine:
    made = 0

    def __init__(self, name):
        self.name, self.steps = name, []

    async def step(self, n):
        self.steps.append(await effect(f"{self.name}-step{n}", n))
        return self

    @classmethod
    async def new(cls, name):
        cls.made += 1
        await effect(f"new-{name}")
        return cls(name)

    @staticmethod
    async def pause(x):
        return await effect("pause", x)

    def sync(self, *args, **kwargs):
        return self.name, args, kwargs

    step_two = functools.partialmethod(step, 2)


class Special(Machine):
    pause = staticmethod(len)


async def main():
    machine = await Machine.new("m")
    bound, unbound, new, pause = machine.step, Machine.step, Special.new, Machine.pause
    partial = functools.partial(machine.sync, 1, k=2)
    getter = operator.attrgetter("steps")
    caller = operator.methodcaller("sync", "called")
    await effect("held")
    special = await new("s")
    out = [(await bound(1)) is machine, (await unbound(special, 9)) is special]
    out.append((await (await machine.step_two()).step(3)).steps)
    out.append((await pause("p"), special.pause([1, 2]), Machine.made, Special.made))
    out.append((partial("x", z=3), getter(special), caller(machine)))
    out.append(bound.__self__ is machine and bound.__func__ is unbound and bound == machine.step)
    table = {"go": bound, "list": machine.steps.append}
    await effect("table")
    table["list"]("direct")
    await table["go"](4)
    return out, machine.steps, type(special).__name__


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
