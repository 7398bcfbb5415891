# durable: on
"""The program of a trial: what lies in its variables while it waits is what the layout of Python's objects could spoil."""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ..aio.events import wait_for_event


class Base:
    def greet(self) -> Any:
        return "base"


class Local(Base):
    async def greet(self) -> Any:
        await asyncio.sleep(0)
        return super().greet()


@contextmanager
def noted(log: list[Any]) -> Iterator[None]:
    log.append("in")
    yield
    log.append("out")


def numbers(upto: int) -> Generator[Any, Any, None]:
    for i in range(upto):
        got = yield i
        if got:
            yield got


async def counted(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


async def child(event: asyncio.Event, n: int) -> int:
    async with asyncio.timeout(60):
        await event.wait()
    return n


async def main() -> Any:
    """Half used iterators, tasks, managers and an exception are held over the wait for an event."""
    log: list[Any] = []
    sources: tuple[Iterable[Any], ...] = ([1, 2, 3], (4, 5, 6), "abc", b"xyz", range(7, 10), {1: 2, 3: 4, 5: 6})
    held = [(x * 2 for x in source) for source in sources]
    begun = [next(each) for each in held]
    generator, chained = numbers(5), itertools.chain([1], [2, 3])
    next(generator), next(chained)
    event, lock = asyncio.Event(), asyncio.Lock()

    class Color(enum.Flag):
        RED = enum.auto()
        BLUE = enum.auto()

    @dataclass
    class Point:
        x: int
        color: Color = Color.RED

    async with asyncio.TaskGroup() as group, lock:
        tasks = [group.create_task(child(event, n)) for n in range(3)]
        with noted(log):
            for outer in [10, 20]:
                try:
                    if outer == 10:
                        raise KeyError(await wait_for_event("answer"))
                except KeyError as error:
                    await asyncio.sleep(0)
                    log.append(repr(error))
                log.append(outer)
        event.set()
    log += [await Local().greet(), [x async for x in counted("uv")], [task.result() for task in tasks], lock.locked()]
    log += [Point(1).color is Color.RED, Color.BLUE.value, repr(Point(2, Color(3)))]
    return begun, [list(each) for each in held], list(chained), generator.send("got"), list(generator), log
