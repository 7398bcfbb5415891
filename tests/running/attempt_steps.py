"""A library, not rewritten, whose calls note how often they have begun."""

from __future__ import annotations

import asyncio

from durable_import import attempt

noted: list[str] = []


def note(name: str, times: int) -> None:
    """Of what runs."""
    noted.append(f"{name} {times}")


async def call(name: str) -> None:
    """A step."""
    note(name, attempt())


async def wait(name: str, ended: str) -> None:
    """A step that lasts until there is this note."""
    note(name, attempt())
    while ended not in noted:
        await asyncio.sleep(0.001)
