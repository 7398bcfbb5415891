"""Generator functions."""


def simple(a):
    for x in a:
        yield x
    return a


def receiving(a):
    while True:
        got = yield a
        a = f"{got}{yield}"


def guarded(a):
    try:
        yield a
    except GeneratorExit:
        raise
    finally:
        a.close()


def final(a):
    with a as x:
        try:
            yield x
        finally:
            yield a


def unreached():
    return
    yield
