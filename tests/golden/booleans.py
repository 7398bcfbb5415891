"""Short-circuit operators and conditional expressions."""


async def as_values(f, a, b):
    x = a and await f(1) and b
    y = await f(2) or b
    return x or (a and await f(3))


async def as_tests(f, a, b):
    if a and (await f(1) or b):
        return 1
    if not await f(2):
        return 2
    while a or not await f(3):
        a = b


async def conditional(f, a, b):
    return await f(1) if a else b if await f(2) else await f(3)


async def asserted(f, a):
    assert await f(1), a
    assert a, await f(2)
