# durable: on
"""Lambdas that yield, held as operands while something is awaited, and several of them in one expression."""

from world import effect


def told(*given):
    return [list(part()) if callable(part) else part for part in given]


async def held():
    return told(lambda: (yield 1), await effect("held", 2))


async def several(a):
    return told(lambda: (yield a), lambda: (yield (yield a + 1)), await effect("several", 3), lambda: (yield a + 2))


async def in_displays(a):
    made = [lambda: (yield a), lambda: (yield -a)]
    named = {"first": lambda: (yield a), "effect": await effect("displays"), "last": lambda: (yield -a)}
    return told(*made), told(*named.values())


async def main():
    return await held(), await several(5), await in_displays(7)
