"""Generator expressions, plain and asynchronous."""


async def asynchronous(f, a):
    return (await f(x) async for x in a if x)


async def in_call(f, g, a):
    return g(a, (x async for x in await f(a)))


async def plain(f, a, n):
    held = (x + n for x in a for _ in x)
    await f(held)
    return held
