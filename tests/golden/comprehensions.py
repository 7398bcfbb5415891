"""List, set and dict comprehensions that await."""


async def lists(f, a):
    return [await f(x) for x in a if await f(-x) if x]


async def outer_iterable(f):
    return [1 for _ in await f(1)]


async def sets(a, b):
    return {x + y async for x in a for y in b}


async def dicts(f, a):
    return {await f(k): await f(v) for k, v in a}


async def nested(f, a):
    return [[await f(y) for y in x] for x in a]


async def walrus(f, a):
    found = [last := await f(x) for x in a]
    return found, last


class Box:
    async def private(self, a):
        return [x async for x in a if self.__secret]
