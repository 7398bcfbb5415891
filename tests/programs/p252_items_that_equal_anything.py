"""Loops over items whose class compares as it likes: no item is compared with anything."""

# durable: on
import asyncio
import itertools

from world import effect


class Anything:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 0


class Nothing:
    def __eq__(self, other):
        raise ValueError("compared")


class Endless:
    def __init__(self, *items):
        self.items = list(items)

    def __iter__(self):
        return self

    def __next__(self):
        if not self.items:
            raise StopIteration
        return self.items.pop()


async def main():
    found = []
    for kind in (Anything, Nothing):
        for item in itertools.repeat(kind(), 2):
            found.append(await effect("repeat", type(item).__name__))
        for item in Endless(kind(), 1, kind()):
            found.append(await effect("own", type(item).__name__))
        found.append([type(item).__name__ for item in Endless(kind(), kind()) if await effect("comprehension", True)])
        for number, item in enumerate(itertools.chain([kind()], Endless(kind(), 2))):
            found.append((await effect("chain", number), type(item).__name__))
    return found


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
