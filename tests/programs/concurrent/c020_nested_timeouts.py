# durable: on
"""Timeouts inside timeouts: the right one expires, whether inner or outer is shorter."""
import asyncio

from world import effect


async def stuck(trace):
    try:
        await asyncio.sleep(3600)
    finally:
        trace.append("unstuck")


async def nested(outer, inner, trace):
    me = asyncio.current_task()
    try:
        async with asyncio.timeout(outer) as far:
            try:
                async with asyncio.timeout(inner) as near:
                    await stuck(trace)
            except TimeoutError:
                trace.append("inner expired")
                await effect(f"fallback of {me.get_name()}")
                trace.append("fell back")
    except TimeoutError:
        trace.append("outer expired")
    return near.expired(), far.expired(), me.cancelling()


async def both_expire(trace):
    try:
        async with asyncio.timeout(0.2) as far:
            try:
                async with asyncio.timeout(0.05) as near:
                    await stuck(trace)
            except TimeoutError:
                trace.append("inner")
                await stuck(trace)
    except TimeoutError:
        trace.append("outer")
    return near.expired(), far.expired()


async def cancelled_not_timed_out(trace, parked):
    try:
        async with asyncio.timeout(30) as limit:
            parked.set()
            await stuck(trace)
    except TimeoutError:
        trace.append("wrong")
    except asyncio.CancelledError:
        trace.append(("cancelled", limit.expired()))
        raise


async def main():
    traces = [[], [], [], []]
    short_inner = asyncio.create_task(nested(30, 0.05, traces[0]), name="short inner")
    short_outer = asyncio.create_task(nested(0.05, 30, traces[1]), name="short outer")
    results = [await short_inner, await short_outer, await both_expire(traces[2])]
    parked = asyncio.Event()
    task = asyncio.create_task(cancelled_not_timed_out(traces[3], parked))
    await parked.wait()
    task.cancel()
    await asyncio.wait([task])
    await effect("done")
    return results, traces, task.cancelled()


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
