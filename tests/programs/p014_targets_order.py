# durable: on
"""Assignment evaluates the value first, then targets left to right, each with its own awaits."""
import asyncio

from world import effect


trace = []


class Thing:
    def __init__(self, name):
        object.__setattr__(self, "name", name)

    def __setattr__(self, key, value):
        trace.append((self.name, key, value))

    def __setitem__(self, key, value):
        trace.append((self.name, key, value))

    def __delitem__(self, key):
        trace.append((self.name, "del", key))

    def __delattr__(self, key):
        trace.append((self.name, "delattr", key))


async def t(name):
    trace.append(f"get {name}")
    return await effect(name, Thing(name))


async def k(name):
    trace.append(f"key {name}")
    return await effect(f"key-{name}", name)


async def main():
    (await t("a")).x = (await t("b"))[await k("i")] = y = await k("value")
    (await t("c")).p, [(await t("d"))[await k("j")], *rest] = 1, "xyz"
    del (await t("e")).attr, (await t("f"))[await k("m"):await k("n")]
    for (await t("g")).loop in [1, 2]:
        pass
    i = 0
    i, values = 1, [0, 0]
    i, values[i] = 0, await k("late")
    typed: "no such name" = await k("typed")
    unset: int
    try:
        unset
    except UnboundLocalError:
        trace.append("unset")
    return trace, y, rest, i, values, typed


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
