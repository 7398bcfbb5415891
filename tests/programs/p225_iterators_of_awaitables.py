# durable: on
"""``async for``, ``async with`` and comprehensions over objects whose ``__await__`` is a generator."""
import asyncio

from world import effect


class Item:
    def __init__(self, name, last):
        self.name = name
        self.last = last

    def __await__(self):
        yield
        if self.last:
            yield from effect(f"{self.name} is over").__await__()
            raise StopAsyncIteration
        first = yield from effect(f"{self.name} first", self.name).__await__()
        yield
        return first + (yield from effect(f"{self.name} second", "!").__await__())


class Items:
    def __init__(self, name, count):
        self.name = name
        self.numbers = iter(range(count + 1))
        self.count = count

    def __aiter__(self):
        return self

    def __anext__(self):
        number = next(self.numbers)
        return Item(f"{self.name}{number}", number == self.count)


class Held:
    def __init__(self, name):
        self.name = name
        self.log = []

    def __aenter__(self):
        return Item(f"{self.name} enter", False)

    def __aexit__(self, *details):
        self.log.append(details[0].__name__ if details[0] else None)
        return Closing(self.name)


class Closing:
    def __init__(self, name):
        self.name = name

    def __await__(self):
        yield
        return (yield from effect(f"{self.name} exit", True).__await__())


async def main():
    out = []
    async for item in Items("x", 1):
        out.append(item)
        out.append(await effect(f"in the loop {item}", len(out)))
    out.append([item async for item in Items("y", 1)])
    held = Held("held")
    async with held as name:
        out.append(name)
        raise ValueError("suppressed")
    out.append(held.log)
    items = Items("z", 1)
    out.append([await anext(items), held.log])
    try:
        await anext(items)
    except StopAsyncIteration as error:
        out.append(error.args)
    return out


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
