# durable: on
"""Attributes of functions and methods are data, each by itself: one that cannot be saved takes no other with it."""
import asyncio
import functools

from world import effect


class Device:
    def __reduce__(self):
        raise TypeError("belongs to this process")

    def answer(self):
        return 42


def counted(function):
    @functools.wraps(function)
    async def wrapper(*args):
        wrapper.calls += 1
        wrapper.seen.append(args[-1])
        return await function(*args)

    wrapper.calls, wrapper.seen = 0, []
    return wrapper


@counted
async def double(x):
    return 2 * await effect(f"double {x}", x)


class Service:
    connection = Device()
    used = 0

    @counted
    async def ask(self, x):
        Service.used += 1
        return await effect(f"ask {x}", x)

    @staticmethod
    def answer():
        Service.answer.calls += 1
        return Service.connection.answer()


def stored(item, log=[], connections=[Service.connection]):
    log.append(item)
    return len(log), len(connections)


Service.answer.calls = 0
Service.answer.connection = Service.connection


async def main():
    out = []
    for x in range(3):
        out.append((await double(x), await Service().ask(x), Service.answer(), stored(x)))
    counts = double.calls, double.seen, Service.ask.calls, Service.ask.seen, Service.used, Service.answer.calls
    return out, counts


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
