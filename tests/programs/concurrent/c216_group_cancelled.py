# durable: on
# requires: 3.15
"""``TaskGroup.cancel``: before the group is entered, from a task, from its body, and after its end."""
import asyncio

from world import effect


async def waits(log, number):
    try:
        await asyncio.Event().wait()
    finally:
        log.append(number)


async def cancelled_by_a_task(log):
    async with asyncio.TaskGroup() as group:
        for number in range(3):
            group.create_task(waits(log, number))

        async def later():
            await effect("cancels")
            group.cancel()

        group.create_task(later())
        await asyncio.Event().wait()
        log.append("never")
    log.sort()
    group.cancel()
    return asyncio.current_task().cancelling()


async def cancelled_by_its_body(log):
    async with asyncio.TaskGroup() as group:
        group.create_task(waits(log, "in the body"))
        await effect("body")
        group.cancel()
        await effect("never")
    await effect("after the body")
    return asyncio.current_task().cancelling()


async def cancelled_before(log):
    group = asyncio.TaskGroup()
    group.cancel()
    await effect("not entered yet")
    async with group:
        log.append("entered")
        await asyncio.Event().wait()
        log.append("never")
    await effect("not entered any more")
    return repr(group)


async def main():
    log = []
    results = [await cancelled_by_a_task(log), await cancelled_by_its_body(log), await cancelled_before(log)]
    return results, log
