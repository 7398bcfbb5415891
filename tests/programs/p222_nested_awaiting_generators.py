# durable: on
"""Generators that await are nested, with coroutines, plain generators and iterators of the program's own between them."""
import asyncio

from world import effect


class Ticks:
    """An iterator of its own: it gives way so many times."""

    def __init__(self, count, log):
        self.count = count
        self.log = log

    def __iter__(self):
        return self

    def __next__(self):
        self.log.append(self.count)
        if not self.count:
            raise StopIteration("ticked")
        self.count -= 1


class Turns:
    def __init__(self, count, log):
        self.iterator = Ticks(count, log)

    def __await__(self):
        return self.iterator


class Tree:
    def __init__(self, name, depth, log):
        self.name = name
        self.depth = depth
        self.log = log

    def __await__(self):
        if not self.depth:
            return (yield from self.leaf().__await__())
        left = yield from Tree(self.name + "l", self.depth - 1, self.log).__await__()
        self.log.append(left)
        right = yield from self.right()
        return [left, right]

    def right(self):
        yield
        ticked = yield from Ticks(1, self.log)
        self.log.append(ticked)
        return (yield from Tree(self.name + "r", self.depth - 1, self.log))

    def __iter__(self):
        found = yield from self.__await__()
        return found, "iterated"

    async def leaf(self):
        await Turns(1, self.log)
        return await effect(f"leaf {self.name}", self.name.upper())


async def main():
    log = []
    tree = Tree("t", 2, log)
    found = await tree
    return found, await Turns(2, log), log


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
