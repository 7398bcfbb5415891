# durable: on
"""A program that pauses in every kind of place, and goes on after the raise."""

import durable_import
from durable_import import PauseForEventException as Pause
from world import effect

EVENTS = [("a", None), ("b", "dropped"), ("ada", None), ("bob", None), ("e", 1), ("f", 2), ("g", 3), ("urgent x", 4), ("class", 5)]
EXPECTED = [
    "a", "b 1", "ada asked", "ada", "bob asked", "bob", "not caught", "in finally", "in handler of boom", "steps [1, 2]",
    "urgent", "class",
]
log = []


class Approval(Pause):
    def __init__(self, name, *, why):
        super().__init__(f"{name} {why}")
        self.why = why


class Class(Pause):
    def __init__(self):
        super().__init__("class")


async def deeper():
    raise durable_import.PauseForEventException("a")
    return "a"


async def names():
    for name in ("ada", "bob"):
        log.append(await effect(name, name) + " asked")
        raise Pause(await effect("again " + name, name))
        yield name


async def steps():
    yield 1
    raise Pause("g")
    yield 2


async def main():
    log.append(await deeper())
    error = Pause("b")
    raise error
    log.append(f"b {len(log)}")
    async for name in names():
        log.append(name)
    try:
        raise Pause("e")
        log.append("not caught")
    except Pause:
        log.append("caught")
    finally:
        log.append("in finally")
    try:
        raise ValueError("boom")
    except ValueError as error:
        raise Pause("f")
        log.append(f"in handler of {error}")
    log.append(f"steps {[n async for n in steps()]}")
    raise Approval("urgent", why="x")
    log.append("urgent")
    raise Class
    log.append("class")
    return log
