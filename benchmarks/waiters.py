# durable: on
"""What the instances of ``benchmarks.waiting`` do."""

import asyncio

from durable_import import wait_for_event


async def wait_and_add(number):
    return number + await wait_for_event("go")


async def return_at_once():
    await asyncio.sleep(0)
