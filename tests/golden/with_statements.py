"""``with`` around awaits."""


async def one(f, a):
    with a as x:
        await f(x)


async def several(f, a, b, c):
    with a, await f(b) as (x, y), c() as b.attribute:
        return x, y


async def leaving(f, a):
    for x in a:
        with x:
            if await f(x):
                continue
            break


async def without_await(f, a):
    with a as x:
        f(x)
    await f(a)
