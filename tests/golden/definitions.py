"""Decorators, default values and annotations that await."""


async def decorated(f, a):
    @f
    @(await f(1))
    def inner(x, y=a, z=await f(2), *, w=a):
        return x, y, z, w

    return inner


async def annotated(f, a):
    def inner(x: a, y: await f(1) = a) -> a:
        return x, y

    value: int = await f(1)
    other: int
    return inner, value
