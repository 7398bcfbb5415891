# durable: on
"""Instances that wait."""

import asyncio

from durable_import import wait_for_event


async def wait_and_add(number):
    """For an event."""
    return number + await wait_for_event("go")


async def return_at_once():
    """Only a little."""
    await asyncio.sleep(0)
