"""Targets, augmented assignment, ``del``, ``raise``."""


async def targets(f, a, b):
    x = y = await f(1)
    a[await f(2)] = b.c = x
    (a[await f(3)], *b.d), z = y
    return x, z


async def augmented(f, a, b):
    b += await f(1)
    a.total += await f(2)
    a[b] *= await f(3)
    a[await f(4)] |= b
    a[b : await f(5)] += [b]
    return b


async def deleted(f, a, b):
    del a[await f(1)], b, (await f(2)).value


async def raised(f, a):
    if a:
        raise await f(1)
    raise a from await f(2)
