# durable: on
"""Generators that ``types.coroutine`` makes awaitable: at module level, nested, kept before they begin, and delegating."""
import asyncio
import types

from world import effect, fail


@types.coroutine
def turn(times):
    for _ in range(times):
        yield
    return times


@types.coroutine
def fetch(name, count):
    """Delegates to coroutines, as such generators may."""
    found = []
    for number in range(count):
        found.append((yield from effect(f"{name} {number}", number)))
        found.append((yield from both(name, number)))
        found.append((yield from turn(number)))
    return found


async def both(name, number):
    return await turn(1), await effect(f"{name} both {number}", -number)


class Method:
    def __init__(self, name):
        self.name = name

    @types.coroutine
    def get(self):
        try:
            yield from fail(f"{self.name} get", OSError(self.name))
        except OSError as error:
            return error.args, (yield from effect(f"{self.name} again", 1))


def scaled(factor):
    @types.coroutine
    def scale(name, value):
        yield
        return factor * (yield from effect(name, value))

    return scale


async def main():
    out = [await fetch("a", 2), await Method("m").get()]
    scale = scaled(10)
    kept = fetch("b", 1)
    again = scale("scale", 4)
    out.append(await effect("between", "between"))
    out.append(await kept)
    out += [await again, await scale("more", 5)]
    out.append([await one for one in [turn(1), scale("last", 6)]])
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
