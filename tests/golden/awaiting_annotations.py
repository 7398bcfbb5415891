# until: 3.13
"""Annotations that await: they are evaluated where the definition is."""


async def annotated(f, a):
    def inner(x: a, y: await f(1) = a) -> a:
        return x, y

    return inner
