# durable: on
"""The durable part of ``benchmarks.gather``."""

import asyncio
import random

from benchmarks.gather import instant


async def child(kind: str, number: int) -> int:
    """Three leaves."""
    done = 0
    for _ in range(3):
        if kind == "turn":
            await asyncio.sleep(0)
        elif kind == "timer":
            await asyncio.sleep(random.random() * number / 2000)
        else:
            await instant(number)
        done += 1
    return done


async def family(kind: str, number: int) -> int:
    """That many children."""
    return sum(await asyncio.gather(*(child(kind, number) for _ in range(number))))
