# durable: on
"""The durable part of ``benchmarks.gather``."""

import asyncio
import random
import time

from benchmarks.steps import instant


async def child(kind: str, number: int) -> int:
    """Three steps."""
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
    """That many children; gives how many steps they had."""
    return sum(await asyncio.gather(*(child(kind, number) for _ in range(number))))


async def sleeper(until: float) -> float:
    """Sleeps until then; gives by how much it was woken too late."""
    await asyncio.sleep(until - time.time())
    return time.time() - until


async def sleepers(number: int, seconds: float) -> list[float]:
    """That many, with one deadline."""
    until = time.time() + seconds
    return await asyncio.gather(*(sleeper(until) for _ in range(number)))
