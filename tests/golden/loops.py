"""``for`` and ``while`` with ``else``, ``break``, ``continue``."""


async def over_list(f, a):
    for x in a:
        if await f(x):
            continue
        if x:
            break
    else:
        await f("else")
    return a


async def targets(f, a, b):
    for b[await f(1)], *rest in await f(a):
        b.rest = rest


async def without_await(f, a):
    for x in a:
        a = x
    await f(a)


async def while_test(f, a):
    while await f(1):
        if a:
            continue
        a = await f(2)
        break
    else:
        return None
    return a


async def nested(f, a):
    for x in a:
        for y in x:
            await f(y)
            while y:
                y = await f(x)
            else:
                break
