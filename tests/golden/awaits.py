"""Awaits in plain expressions: operators, subscripts, displays, nested awaits."""


async def operators(f, a, b):
    a + b * await f(1)
    total = await f(1) + b
    return -await f(2) - (a - await f(total))


async def nested(f):
    return await f(await f(await f(0)))


async def subscripts(f, a, b):
    x = a[await f(1)]
    y = a[b : await f(2) : b]
    return (await f(a))[x, y].attribute


async def displays(f, a):
    return [a, await f(1), *a], {a, await f(2)}, {a: await f(3), **a, await f(4): a}, (a, *await f(5))


async def nothing(f):
    """Its docstring stays the first statement."""
    await f()
