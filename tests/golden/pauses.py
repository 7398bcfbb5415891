"""Pauses: ``raise PauseForEventException`` and its like, and the raise statements that are none."""

import durable_import
from durable_import import PauseForEventException as Wait

Alias = durable_import.PauseForEventException


class Approval(Wait):
    def __init__(self, name):
        super().__init__(f"approve {name}")


class Urgent(Approval):
    pass


async def plain():
    raise Wait("allow")
    return 1


async def computed(f, names):
    for name in names:
        raise durable_import.PauseForEventException(await f(name) + name)
    return f"{await f(names)}"


async def classes(held):
    if held:
        raise held.Urgent
    try:
        raise Approval(1)
    except Exception:
        raise Alias("c")


async def because():
    try:
        raise ValueError("x")
    except ValueError as cause:
        raise Wait("y") from cause


async def none_of_them(error):
    raise error


def synchronous():
    raise Wait("z")


async def steps():
    yield 1
    raise Wait("more")
    yield 2


async def assigned():
    error = Wait("v")
    raise error
