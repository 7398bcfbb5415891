"""Order of evaluation in calls."""


async def positional(f, g, a, b):
    return g(a, f(b), await f(1), b)


async def method(f, a):
    return a.method(a.value, await f(1)).other(await f(2))


async def starred(f, g, a, b):
    return g(*a, *await f(1), *b)


async def keywords(f, g, a, b):
    return g(a, x=b, **a, y=await f(1), **b)


async def callee(f, a):
    return (await f(1))(a)
