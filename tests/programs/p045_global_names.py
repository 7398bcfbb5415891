# durable: on
"""global statements, module data and builtins that are shadowed, changed across awaits."""
import asyncio

from world import effect


counter = 0
registry = {}


async def tick(n=1):
    global counter, fresh
    counter += await effect(f"tick{n}", n)
    fresh = counter * 2
    registry[counter] = fresh
    return counter


def read():
    return counter, fresh


async def shadow():
    counter = "local"
    await effect("shadow")

    def inner():
        global counter
        counter += 100
        return counter

    return counter, inner(), globals()["counter"]


class Meter:
    counter = "class"
    seen = counter

    async def both(self):
        await effect("both")
        return self.counter, counter


async def main():
    global len
    out = [await tick(), await tick(5), read()]
    out.append(await shadow())
    out.append(await Meter().both())
    len = lambda x: "shadowed"
    out.append((len([1]), await effect("shadowed", len([]))))
    del len
    await effect("restored")
    out.append(len([1, 2]))
    global fresh
    del fresh
    await effect("deleted")
    try:
        read()
    except NameError as error:
        out.append(str(error))
    return out, registry


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
