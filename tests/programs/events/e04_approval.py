# durable: on
"""An approval with a deadline and a reminder: events, timers, tasks and a group together."""

import asyncio
from dataclasses import dataclass

from durable_import import PauseForEventException, wait_for_event
from world import effect


@dataclass
class Decision:
    by: str
    granted: bool = True


EVENTS = [("paid", 7), ("approve", {"by": "eve"})]
EXPECTED = (7, Decision("eve"), ["remind 1", "remind 2"])


async def remind(log):
    number = 0
    while True:
        await asyncio.sleep(0.1)
        number += 1
        log.append(await effect(f"remind {number}", f"remind {number}"))


async def approval():
    return Decision(**await wait_for_event("approve", timeout=30))


async def main():
    log = []
    async with asyncio.TaskGroup() as group:
        reminders = group.create_task(remind(log))
        while len(log) < 2:
            await asyncio.sleep(0.05)
        amount = group.create_task(wait_for_event("paid"))
        decision = group.create_task(approval())
        await asyncio.wait([amount, decision])
        reminders.cancel()
    assert isinstance(PauseForEventException("x"), Exception)
    return amount.result(), decision.result(), log[:2]
