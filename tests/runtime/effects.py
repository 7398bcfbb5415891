"""What the flows do to the world: noted in a list of the process."""

import asyncio
from typing import Any

world: list[str] = []
open_gates: set[str] = set()


async def effect(what: str, value: Any = None) -> Any:
    """Note it, and give the value."""
    await asyncio.sleep(0)
    world.append(what)
    return value


async def hold(gate: str) -> None:
    """Wait, in foreign code, until the gate is open."""
    while gate not in open_gates:
        await asyncio.sleep(0.002)


def spring() -> None:
    """What must never be called."""
    world.append("EVIL")
