# durable: on
"""Durable functions for pictures."""

import asyncio
from dataclasses import dataclass

from durable_import import progress, set_tag, wait_for_event


@dataclass
class Line:
    name: str
    count: int


async def approve(number, total):
    answer = await wait_for_event("approval")
    return number, answer, total


async def pack(lines):
    await asyncio.sleep(86400)
    return len(lines)


async def order(number):
    lines = [Line("pen", 2), Line("cup", number)]
    api_key = "sk-0123456789"
    set_tag(customer=f"c{number % 4}")
    progress(1, 3, "ordered")
    packing = asyncio.create_task(pack(lines), name="packing")
    approval = asyncio.create_task(approve(number, sum(line.count for line in lines)), name="approval")
    answer = await approval
    packing.cancel()
    return answer, api_key


async def remind(what):
    await asyncio.sleep(30 * 86400)
    return what
