"""What can be opened again, and takes for ever when that is so."""

from __future__ import annotations

import asyncio

from durable_import import reopenable

HANGS: list[bool] = []
ASKED: list[bool] = []  # once for each that hangs
LEFT: list[str] = []


async def _hang() -> None:
    if HANGS:
        ASKED.append(True)
        await asyncio.sleep(3600)


@reopenable
class Entered:
    """A manager."""

    async def __aenter__(self) -> Entered:
        await _hang()
        return self

    async def __aexit__(self, *details: object) -> None:
        LEFT.append("left")


class Connection:
    """What a function gives."""

    def __reduce__(self) -> str:
        raise TypeError("a connection")


@reopenable
async def connect() -> Connection:
    """Give a connection."""
    await _hang()
    return Connection()
