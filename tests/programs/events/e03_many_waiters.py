# durable: on
"""Each event goes to one waiter, first come first served; one who is cancelled or times out loses none."""

import asyncio

from durable_import import wait_for_event
from world import effect

EVENTS = [None, *(("job", n) for n in range(5)), ("late", "x")]  # None: time passes
EXPECTED = ([("a", 0), ("c", 1), ("d", 2), ("e", 3)], 4, "timed out", "x")


async def worker(name, got):
    got.append((name, await wait_for_event("job")))
    await effect(f"{name} has {got[-1][1]}")


async def main():
    got = []
    tasks = [asyncio.create_task(worker(name, got)) for name in "abcde"]
    await asyncio.sleep(0)
    tasks[1].cancel()
    try:
        await wait_for_event("late", timeout=0.05)
    except TimeoutError:
        outcome = "timed out"
    last = asyncio.create_task(wait_for_event("job"))
    await asyncio.gather(*tasks, return_exceptions=True)
    return got, await last, outcome, await wait_for_event("late")
