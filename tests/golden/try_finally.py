"""``finally`` blocks with and without awaits, and each way into and out of them."""


async def body_only(f):
    try:
        await f(1)
    finally:
        f(2)


async def final_only(f, a):
    try:
        if a:
            return a
        f(1)
    finally:
        await f(2)


async def every_way_in(f, a):
    for x in a:
        try:
            if await f(x):
                continue
            if x:
                break
            if a:
                return x
        finally:
            await f(a)


async def every_way_out(f, a):
    while a:
        try:
            f(1)
        finally:
            if await f(2):
                break
            if await f(3):
                continue
            if await f(4):
                return 4
            if await f(5):
                raise ValueError
    return 0


async def all_clauses(f):
    try:
        await f(1)
    except ValueError as error:
        await f(error)
    else:
        await f(2)
    finally:
        await f(3)


async def nested(f, a):
    try:
        try:
            return await f(1)
        finally:
            await f(2)
    finally:
        await f(3)
