"""Code without suspension points stays as it is."""

import asyncio
from functools import partial

try:
    VALUE = [x for x in range(3)]
except ValueError:
    VALUE = []


def plain(a, *args, b: int = 1, **kwargs) -> int:
    """A docstring."""
    with a as x:
        try:
            return sum(y for y in x if y)
        finally:
            del a


class Plain:
    """A class."""

    x: int = 1

    def method(self):
        return super().__init__()


async def no_await(a):
    return partial(a, asyncio)
