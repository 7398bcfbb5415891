# requires: 3.14
"""Template strings: values, conversions, nested format specifications."""


async def values(f, a):
    return t"{a} and {await f(1)} and {a!r:>10}"


async def specification(f, a):
    return t"{a:{await f(1)}} {await f(2):.{await f(3)}f} {a}"


async def nested(f, a):
    return t"{t'{await f(1)}'!s:{a}}{f'{await f(2)}'}"
