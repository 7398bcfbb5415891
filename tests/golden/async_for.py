"""``async for`` with ``else``, ``break``, ``continue`` and targets."""


async def plain(a):
    async for x in a:
        print(x)


async def every_exit(f, a):
    async for x, *y in await f(a):
        if x:
            continue
        if await f(y):
            break
        if y:
            return x
    else:
        await f("else")
    return None


async def awaiting_target(f, a, b):
    async for b[await f(1)] in a:
        pass
