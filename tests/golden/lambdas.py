"""Lambdas hold no await, but their defaults may, and they capture."""


async def captured(f, a):
    get = lambda b: a + b
    a = await f(get)
    return get(a)


async def defaults(f, a):
    return lambda x=a, y=await f(1), *, z=a: (x, y, z)


def generating():
    return lambda: (yield 1)
