"""Functions to step through: the lines that a tracer sees are compared, native against rewritten."""

import asyncio


async def give(value=None):
    await asyncio.sleep(0)
    return value


class Manager:
    def __enter__(self):
        return self

    def __exit__(self, *details):
        return details[0] is KeyError

    async def __aenter__(self):
        await give()
        return self

    async def __aexit__(self, *details):
        await give()
        return details[0] is KeyError


async def numbers(count):
    for i in range(count):
        await give()
        yield i


async def statements():
    """A docstring."""
    a = await give(1)
    b = a + await give(2) * 3
    c = [a, b, await give(3)]
    c[0] += await give(4)
    x, y = await give((1, 2))
    del c[await give(0)]
    assert await give(True), "message"
    print(f"{await give(1)}", end="", file=None if x else y)
    return c


async def branches():
    total = 0
    for i in range(4):
        if await give(i) == 1:
            total += 1
        elif i == 2 and await give(True):
            total += 10
        else:
            total += await give(100)
    return total


async def loops():
    total = 0
    for i in range(3):
        await give()
        for j in range(2):
            if j:
                continue
            total += await give(i)
    else:
        total += 1000
    while total < 1010:
        total += await give(2)
        if total == 1009:
            break
    return total


async def while_test():
    count = 0
    while await give(count < 2):
        count += 1
    return count


async def async_loops():
    total = 0
    async for i in numbers(3):
        total += i
    async for i in numbers(5):
        if i == 1:
            continue
        if i == 3:
            break
        await give()
    else:
        total = 0
    return total


async def managers():
    with Manager() as one:
        await give(one)
    async with Manager() as two:
        await give(two)
        x = 1
    with Manager(), Manager():
        x = await give(x)
    return x


async def managers_left_early():
    for i in range(3):
        async with Manager():
            if i == 0:
                continue
            if await give(i) == 2:
                break
        with Manager():
            await give()
            raise KeyError
    async with Manager():
        return 1


async def handlers():
    try:
        await give()
        raise KeyError
    except ValueError:
        await give()
    except KeyError as error:
        await give(error)
    else:
        await give()
    return 1


async def handler_without_await():
    try:
        await give()
        raise KeyError
    except KeyError:
        x = 1
    return x


async def no_exception():
    try:
        x = await give(1)
    except KeyError:
        await give()
    else:
        x += 1
    return x


async def finals():
    x = 0
    try:
        x += 1
        x += await give(1)
    finally:
        x += 1
    try:
        x += 1
    finally:
        x += await give(1)
        x += 1
    return x


async def finals_with_return():
    for i in range(2):
        try:
            if i:
                return await give(i)
            continue
        finally:
            await give()


async def matches():
    match await give([1, 2]):
        case [1]:
            x = 1
        case [1, y] if y:
            x = await give(y)
        case _:
            x = 3
    return x


async def matches_with_await_in_guard():
    match [1, 2]:
        case [x] if await give(x):
            y = 1
        case [x, y] if await give(y):
            y = x
    return y


async def nested():
    factor = 3

    async def inner(x):
        nonlocal factor
        factor += await give(x)
        return factor

    first = await inner(1)
    return first + await inner(await give(2))


async def decorated():
    def same(function):
        return function

    @same
    @(await give(same))
    async def inner(x=await give(1)):
        return await give(x)

    return await inner()


async def generators():
    def generate(n):
        for i in range(n):
            got = yield i
            assert got is None
        return n

    def delegate():
        result = yield from generate(2)
        yield result

    values = []
    for value in delegate():
        values.append(await give(value))
    return values


async def expressions_on_several_lines():
    x = (
        await give(1)
        + await give(2)
    )
    return [
        x,
        await give(3),
    ]


async def comprehensions():
    first = [await give(x) for x in range(2)]
    second = {x: y async for x in numbers(2) for y in first}
    third = sum(x for x in await give([1, 2]))
    return first, second, third


class Base:
    async def method(self):
        return await give(1)


class Derived(Base):
    async def method(self):
        x = await super().method()
        return x


async def methods():
    return await Derived().method()


async def groups():
    try:
        await give()
        raise ExceptionGroup("group", [KeyError(), ValueError()])
    except* KeyError:
        x = 1
    except* ValueError:
        x = 2
    return x


async def groups_with_await():
    try:
        raise ExceptionGroup("group", [KeyError(), ValueError()])
    except* KeyError:
        x = await give(1)
    except* ValueError:
        x = await give(2)
    return x
