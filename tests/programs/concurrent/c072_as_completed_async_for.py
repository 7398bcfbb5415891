# durable: on
# requires: 3.13
"""`async for` over as_completed yields the tasks themselves, so that they can be looked up."""
import asyncio

from world import effect, fail


class LostParcel(Exception):
    pass


async def courier(turns, parcel):
    for _ in range(turns):
        await asyncio.sleep(0)
    return parcel


async def main():
    await effect("morning")
    routes = {}
    for city, turns in (("paris", 7), ("rome", 2), ("oslo", 4), ("bonn", 0)):
        routes[asyncio.create_task(courier(turns, f"parcel for {city}"), name=city)] = city
    arrivals = []
    async for task in asyncio.as_completed(routes):
        arrivals.append((routes[task], await task, task.get_name()))

    outcomes = {}
    jobs = {
        asyncio.create_task(effect("deliver by hand", "by hand")): "hand",
        asyncio.create_task(fail("deliver by drone", LostParcel("drone"))): "drone",
        asyncio.create_task(effect("deliver by bike", "by bike")): "bike",
    }
    async for task in asyncio.as_completed(jobs):
        try:
            outcomes[jobs[task]] = await task
        except LostParcel as error:
            outcomes[jobs[task]] = repr(error)

    never = asyncio.create_task(asyncio.Event().wait())
    ready = asyncio.create_task(asyncio.sleep(0, "ready"))
    await ready
    seen = []
    try:
        async for task in asyncio.as_completed([never, ready], timeout=0.05):
            seen.append(task is ready)
    except TimeoutError:
        seen.append("deadline")
    never.cancel()

    plain = asyncio.as_completed([courier(3, "third"), courier(1, "first"), courier(2, "second")])
    mixed = [await next(plain)]
    async for coro_task in plain:
        mixed.append(await coro_task)
    await effect("evening")
    return arrivals, sorted(outcomes.items()), seen, mixed


if __name__ == "__main__":
    print(repr(asyncio.run(main())))
