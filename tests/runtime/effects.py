"""What the flows do to the world: noted in a list of the process."""

import asyncio
from typing import Any

world: list[str] = []


async def effect(what: str, value: Any = None) -> Any:
    """Note it, and give the value."""
    await asyncio.sleep(0)
    world.append(what)
    return value
