"""Nested functions, closures, ``nonlocal`` and ``global``."""

counter = 0


async def outer(f, a):
    count = 0

    async def inner(b):
        nonlocal count
        count += await f(a + b)
        return count

    def plain():
        return count

    await inner(1)
    return plain()


async def rebinding(f):
    global counter
    counter += await f(counter)
    x = 1

    def middle():
        async def innermost():
            nonlocal x
            x = await f(x)

        return innermost

    await middle()()
    return x


def synchronous(f):
    async def inside():
        return await f()

    return inside
