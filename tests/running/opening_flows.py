# durable: on
"""Durable functions that have something open while they wait for an event."""

import asyncio

from durable_import import wait_for_event
from tests.running.opened_slowly import Entered, connect

LOG: list[str] = []


async def in_a_block() -> None:
    try:
        async with Entered():
            await wait_for_event("go")
    finally:
        LOG.append("finally")


async def in_a_variable() -> str:
    connection = await connect()
    await wait_for_event("go")
    return type(connection).__name__


async def in_two_tasks() -> None:
    await asyncio.gather(in_a_block(), in_a_variable())
