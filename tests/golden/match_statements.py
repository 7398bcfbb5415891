"""``match``: awaits in subject, bodies and guards."""


async def bodies(f, a):
    match await f(a):
        case [x, *rest] if rest:
            await f(x)
        case {"key": y, **others}:
            return await f(y), others
        case int() | str() as z:
            return z
        case _:
            await f(a)
    return a


async def guards(f, a):
    match a:
        case [x] if await f(x):
            return 1
        case [x, y] if x:
            return await f(y)
        case _:
            return 3
