# durable: on
"""A durable program that is looked at while it waits."""

import asyncio
from dataclasses import dataclass
from typing import Any

from durable_import import current_instance, current_runtime, wait_for_event
from tests.running.effects import Desk, hold_with_key


@dataclass
class Line:
    name: str
    count: int


class Writes:
    """Leaves a file behind wherever it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


async def approve(number: int) -> tuple[int, Any]:
    answer = await wait_for_event("approval")
    return number, answer


async def ship(lines: list[Line], gate: str) -> int:
    await hold_with_key(gate)
    return len(lines)


async def rest(seconds: float) -> None:
    await asyncio.sleep(seconds)


async def order(number: int, path: str, gate: str = "open") -> tuple[Any, bool]:
    lines = [Line("pen", 2), Line("cup", 1)]
    trap = Writes(path)
    desk = Desk("https://desk", retries=number)
    async with asyncio.TaskGroup() as group:
        asked = group.create_task(approve(number), name="approval")
        group.create_task(ship(lines, gate), name="shipping")
        group.create_task(rest(3600), name="resting")
    return asked.result(), trap is not None and desk is not None


async def looks() -> tuple[str, str, list[Any], int]:
    handle, runtime = current_instance(), current_runtime()
    assert handle is not None and runtime is not None  # noqa: PT018
    for _ in range(5):
        found = await asyncio.gather(handle.info(), handle.stack(), handle.events(), runtime.list(), runtime.count())
    info, stack, events, page, count = found
    assert [each.id for each in page] == [info.id]
    return stack.status, str(stack.call), events, count


async def one_of(number: int, shared: list[str]) -> list[str]:
    await wait_for_event(str(number))
    return shared


async def crowd(count: int) -> None:
    shared = ["the same"]
    await asyncio.gather(*(one_of(number, shared) for number in range(count)))
