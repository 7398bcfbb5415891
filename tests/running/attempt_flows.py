# durable: on
"""Instances that are suspended in the middle of steps."""

import asyncio

from durable_import import attempt
from tests.running.attempt_steps import call, note, wait


async def alone(end: str) -> None:
    """One step, before which nothing is saved."""
    note("begin", attempt())
    await wait("first", end)
    note("middle", attempt())
    await wait("second", f"{end} again")
    note("end", attempt())


async def beside(end: str) -> None:
    """A long step, beside short ones of another task."""
    long = asyncio.create_task(wait("long", end))
    await call("short")
    await wait("other", "go")
    await call("short")
    await long


async def another() -> None:
    """One of the instances beside."""
    await asyncio.sleep(0)
