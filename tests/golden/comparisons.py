"""Single and chained comparisons."""


async def single(f, a):
    return a < await f(1)


async def chained(f, a, b):
    return a < await f(1) <= b != await f(2)


async def chained_test(f, a, b):
    if a is await f(1) is not b:
        return a in await f(2) not in b
    return None
