"""``async with``."""


async def one(f, a):
    async with a as x:
        f(x)


async def several(f, a, b):
    async with await f(a) as x, b(x) as x.value:
        await f(x)


async def leaving(f, a):
    for x in a:
        async with x as y:
            if y:
                continue
            if await f(y):
                break
            return y
    return None
