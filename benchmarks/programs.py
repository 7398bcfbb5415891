# durable: on
"""The durable functions that are measured."""

import asyncio
import os
import time

from benchmarks.beside import turns
from benchmarks.states import state_of
from benchmarks.steps import asking, instant, milestone, waiting
from durable_import import step_key


async def steps(count, most=3600):
    """That many steps, but no more than go into ``most`` seconds; gives how many, their seconds, and those of the processor."""
    done, begun, begun_cpu = 0, time.perf_counter(), time.process_time()
    while done < count and time.perf_counter() - begun < most:
        await instant(done)
        done += 1
    return done, time.perf_counter() - begun, time.process_time() - begun_cpu


async def keyed_step(number, way):
    """One whose key is asked for that way, if it is."""
    if way == "inside":
        return await asking(number)
    key = step_key() if way == "given" else step_key("pay", number) if way == "parts" else ""
    return await waiting(number, key)


async def keyed_steps(count, way):
    """That many, one after another."""
    for number in range(count):
        await keyed_step(number, way)


async def keyed_tasks(count, way):
    """That many, at once."""
    await asyncio.gather(*(keyed_step(number, way) for number in range(count)))


async def at_depth(depth, times, count, kind):
    """``times`` turns of so many checkpoints and bare commits, in a call so deep. The outermost call has a state of that kind;
    the calls around the innermost one do not change."""
    state = state_of(kind)
    if depth > 1:
        return *await at_depth(depth - 1, times, count, "nothing"), len(state)
    for _ in range(times):
        turns.begin()
        for number in range(count):
            await instant(number)
        turns.end(count)
        await turns.bare(count)
    return (len(state),)


async def beside_state(kind, count, most):
    """``steps`` beside a state of that kind, and how long that is."""
    state = state_of(kind)
    await instant(0)  # now it is written
    found = await steps(count, most)
    return *found, len(state)


async def written_beside_state(kind, count, most, file):
    """How many bytes the file has grown by for each of ``steps`` beside a state of that kind, and how long that is."""
    state = state_of(kind)
    await instant(0)
    before = os.path.getsize(file)
    done, *_ = await steps(count, most)
    return (os.path.getsize(file) - before) / done, len(state)


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
    """That many steps in a gather."""
    child = waiting if kind == "waiting" else instant
    return len(await asyncio.gather(*(child(number) for number in range(count))))
