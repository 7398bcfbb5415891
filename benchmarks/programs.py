# durable: on
"""The durable functions that are measured."""

import asyncio
import time

from benchmarks.leaves import instant, milestone, waiting
from durable_import import wait_for_event


async def leaves(count, most=3600):
    """That many leaves, but no more than go into ``most`` seconds; gives how many, their seconds, and those of the processor."""
    done, begun, begun_cpu = 0, time.perf_counter(), time.process_time()
    while done < count and time.perf_counter() - begun < most:
        await instant(done)
        done += 1
    return done, time.perf_counter() - begun, time.process_time() - begun_cpu


async def at_depth(depth, count, record):
    """``leaves`` that many calls deep; the outermost one has the record. The frames below the last one do not change."""
    name, place = f"the call at depth {depth}", (depth, count)
    if depth > 1:
        found = await at_depth(depth - 1, count, None)
    else:
        found = await leaves(count)
    return found if name and place else record  # always the first: the variables are used


async def a_record(depth, count, look):
    """``at_depth`` with 1 KB of variables; then ``look()`` gives how long the row of the checkpoint is."""
    order = {
        "customer": {"id": 4711, "name": "Ada Lovelace", "email": "ada@example.org", "vip": True},
        "lines": [{"article": f"A-{number:05}", "quantity": number, "price": number * 1.25} for number in range(22)],
        "note": "leave it with the neighbours " * 5,
    }
    found = await at_depth(depth, count, order)
    return [*found, await look()]


async def beside_state(make, count, most):
    """``leaves`` beside a variable that holds what ``make()`` gives, and how long that is."""
    state = make()
    await instant(0)  # now it is written
    found = await leaves(count, most)
    return len(state), found


async def written_beside_state(make, count, most, written):
    """How long such a variable is, and how many bytes each of ``leaves`` writes beside it; ``written()``: those until now."""
    state = make()
    await instant(0)
    before = written()
    done, *_ = await leaves(count, most)
    return len(state), (written() - before) / done


async def wait_and_add(number):
    """An instance that waits for an event."""
    return number + await wait_for_event("go")


async def long_life(depth, milestones):
    """So many awaits, in a call so deep: 1,000 at a time."""
    if depth > 1:
        return await long_life(depth - 1, milestones)
    done = 0
    for number in milestones:
        while done < number:
            done += len(await asyncio.gather(*(waiting(child) for child in range(1000))))
        await instant(number)  # the last checkpoint before the milestone, so it has nothing of what was gathered
        await milestone(number)
    return done


async def family(kind, count):
    """That many leaves in a gather."""
    child = waiting if kind == "waiting" else instant
    return len(await asyncio.gather(*(child(number) for number in range(count))))
