"""``except*``."""


async def in_body(f):
    try:
        await f(1)
    except* ValueError as group:
        f(group)


async def in_handler(f):
    try:
        f(1)
    except* ValueError as group:
        await f(group)
    except* (KeyError, OSError):
        raise
    else:
        f(2)
    finally:
        f(3)


async def untouched(f):
    try:
        f(1)
    except* ValueError:
        f(2)
    await f(3)
