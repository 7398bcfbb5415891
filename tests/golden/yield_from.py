"""``yield from``."""


def delegate(a):
    result = yield from a
    return result, (yield from result)


def in_loop(a):
    for x in a:
        yield from x
    yield from ()
