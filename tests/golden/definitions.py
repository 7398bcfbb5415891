"""Decorators and default values that await, of functions with annotations."""


async def decorated(f, a):
    @f
    @(await f(1))
    def inner(x, y=a, z=await f(2), *, w=a):
        return x, y, z, w

    return inner


async def annotated(f, a):
    def inner(x: int, *more: str, y: print() = await f(1), **rest: int) -> annotated:
        return x, y

    value: int = await f(1)
    other: int
    return inner, value
