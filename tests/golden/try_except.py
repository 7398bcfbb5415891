"""``try`` with ``except`` and ``else``: an await in each place."""


async def in_body(f):
    try:
        await f(1)
    except ValueError as error:
        return error
    except (KeyError, OSError):
        pass
    except:
        raise
    else:
        return 1
    return 2


async def in_handler(f):
    try:
        f(1)
    except ValueError as error:
        await f(error)
        raise
    except KeyError:
        await f(2)
    except BaseException as error:
        raise RuntimeError from error


async def in_bare_handler(f):
    try:
        f(1)
    except:
        await f(2)


async def in_else(f):
    try:
        x = f(1)
    except ValueError:
        x = 0
    else:
        x = await f(x)
    return x


async def in_type(f):
    try:
        f(1)
    except await f(2) as error:
        return error
    except KeyError:
        raise


async def nested(f):
    try:
        f(1)
    except ValueError:
        try:
            await f(2)
        except KeyError as inner:
            await f(inner)


async def forgotten_exception(f):
    try:
        await f()
    except ValueError as error:
        show = lambda: error
        await f(show())
    return error
