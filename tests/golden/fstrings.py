"""Formatted strings: values, conversions, nested format specifications."""


async def values(f, a):
    return f"{a} and {await f(1)} and {a!r:>10}"


async def specification(f, a):
    return f"{a:{await f(1)}} {await f(2):.{await f(3)}f} {a}"
