# requires: 3.15
"""Comprehensions and generator expressions that unpack what they take."""


async def lists(f, a):
    return [*await f(x) for x in a]


async def sets(a):
    return {*x async for x in a}


async def dicts(f, a):
    return {**await f(x) for x in a if x}


async def asynchronous(f, a):
    return (*await f(x) async for x in a)


async def plain(f, a):
    held = (*x for x in a)
    await f(held)
    return held
