# durable: on
"""asyncio.timeout and timeout_at: expired, rescheduled to sooner and later, switched off."""
import asyncio

from world import effect


async def forever():
    await asyncio.Event().wait()


async def lease(name, extensions):
    """A lease is prolonged a few times, then runs out."""
    loop = asyncio.get_running_loop()
    log = []
    try:
        async with asyncio.timeout(3600) as limit:
            for n in range(extensions):
                log.append(await effect(f"extend {name} {n}", n))
            limit.reschedule(loop.time() + 0.05)
            log.append(limit.expired())
            await forever()
    except TimeoutError as error:
        log.append((type(error).__name__, limit.expired(), type(error.__cause__).__name__))
    return log


async def main():
    loop = asyncio.get_running_loop()
    leases = await asyncio.gather(lease("a", 2), lease("b", 1))

    seen = []
    async with asyncio.timeout(None) as open_end:
        seen.append(open_end.when())
        open_end.reschedule(loop.time() + 30)
        seen.append(await effect("in time", "ok"))
        open_end.reschedule(None)
        seen.append(open_end.when())
    seen.append(open_end.expired())

    try:
        async with asyncio.timeout_at(loop.time() + 0.02) as at:
            await forever()
    except TimeoutError:
        seen.append(("timeout_at", at.expired()))

    try:
        async with asyncio.timeout(0):
            seen.append("entered")
            await asyncio.sleep(3600)
            seen.append("never")
    except TimeoutError:
        seen.append("zero")

    async with asyncio.timeout(0.02) as swallowed:
        try:
            await forever()
        except asyncio.CancelledError:
            seen.append(("inside", asyncio.current_task().cancelling()))
    seen.append(("swallowed", swallowed.expired(), asyncio.current_task().cancelling()))

    try:
        async with asyncio.timeout(30):
            raise KeyError("own error")
    except KeyError as error:
        seen.append(repr(error))
    return leases, seen


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
