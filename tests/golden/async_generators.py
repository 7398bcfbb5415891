"""Asynchronous generators."""


async def simple(f, a):
    async for x in a:
        yield await f(x)


async def receiving(f):
    got = None
    while got != "end":
        got = yield got
        if await f(got):
            return


async def final(f, a):
    try:
        yield a
    except ValueError:
        yield 1
    finally:
        await f(2)


async def leaving(f, a):
    try:
        if a:
            return
        yield a
    finally:
        await f(a)
